// "Was this helpful?": says it to the API, and asks what is missing after a No.
"use strict";

const form = document.querySelector("form[data-vote]");
const buttons = [...form.querySelectorAll("[data-helpful]")];
const why = form.querySelector("[data-why]");
const told = form.querySelector("[data-status]");
const FAILED = "That did not work. Try again in a moment.";

function show(said) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.helpful === said));
  why.hidden = said !== "no";
}

async function say(said, reason) {
  const token = await session.token();
  if (token === null) return false;
  const reply = await fetch(`/api/v1/knowledge-base/articles/${form.dataset.vote}/vote/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify({ helpful: said === "yes", reason }),
  });
  return reply.ok;
}

async function answer(said, reason, thanks) {
  const done = await say(said, reason).catch(() => false);
  told.textContent = done ? thanks : FAILED;
  if (done) show(said);
  return done;
}

for (const button of buttons) {
  button.addEventListener("click", () => answer(button.dataset.helpful, "", "Thank you."));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const reason = document.getElementById("reason");
  if (await answer("no", reason.value.trim(), "Thank you. The author will read this.")) {
    reason.value = "";
    why.hidden = true;
  }
});

show(form.dataset.said);
if (form.dataset.said === "no") why.hidden = true;
