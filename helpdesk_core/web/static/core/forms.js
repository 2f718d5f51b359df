// Forms that call the API: `data-post` is the path, `data-token` adds what stands behind # in the address.
// What is wrong is shown beside its field; afterwards the page goes to `data-after`, or shows `data-done`.
"use strict";

const INCOMPLETE = "This link is not complete. Open the one from the mail, or copy all of it.";
const UNREACHABLE = "The server cannot be reached. Try again in a moment.";

function tokenOfLink() {
  try {
    return decodeURIComponent(window.location.hash.slice(1));
  } catch {
    return "";
  }
}

function fieldsOf(form) {
  return [...form.querySelectorAll("input[name]")].filter((input) => input.closest("[data-step][hidden]") === null);
}

function showAlert(form, message) {
  const alert = form.querySelector("[data-alert]");
  alert.textContent = message;
  alert.hidden = false;
}

function showError(input, message) {
  const error = document.getElementById(`${input.id}-error`);
  error.textContent = message;
  error.hidden = false;
  input.setAttribute("aria-invalid", "true");
}

function clear(form) {
  form.querySelector("[data-alert]").hidden = true;
  for (const error of form.querySelectorAll(".error")) error.hidden = true;
  for (const input of form.querySelectorAll("input")) input.removeAttribute("aria-invalid");
}

// Shows every complaint at its field; returns those that belong to none.
function showErrors(form, problems) {
  const homeless = [];
  let first = null;
  for (const { field, message } of problems) {
    const input = fieldsOf(form).find((each) => each.name === field);
    if (input === undefined) {
      homeless.push(field === "token" ? "This link is not valid, or was used before. Ask for a new one." : message);
      continue;
    }
    showError(input, message);
    first ??= input;
  }
  first?.focus();
  return homeless;
}

function showProblem(form, { message = UNREACHABLE, details = {} }) {
  const otp = form.querySelector('[data-step="otp"]');
  if (details.otp_required && otp !== null && otp.hidden) {
    form.querySelector('[data-step="credentials"]').hidden = true;
    otp.hidden = false;
    otp.querySelector("input").focus();
    return;
  }
  const problems = details.errors ?? (details.field ? [details] : []);
  const homeless = showErrors(form, problems);
  if (homeless.length > 0 || problems.length === 0) {
    showAlert(form, homeless[0] ?? message);
  }
}

function isComplete(form) {
  const missing = fieldsOf(form).filter((input) => input.required && input.value.trim() === "");
  for (const input of missing) showError(input, "This field is required.");
  missing[0]?.focus();
  return missing.length === 0;
}

function bodyOf(form) {
  const body = {};
  for (const input of form.querySelectorAll("input[name]")) {
    const hidden = input.closest('[data-step="otp"][hidden]') !== null;
    if (!hidden && (input.value !== "" || input.required)) body[input.name] = input.value;
  }
  if ("token" in form.dataset) body.token = tokenOfLink();
  return body;
}

async function send(form) {
  const reply = await fetch(`/api/v1${form.dataset.post}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/vnd.helpdesk.v1+json" },
    body: JSON.stringify(bodyOf(form)),
  });
  if (reply.ok) return null;
  const body = await reply.json().catch(() => ({}));
  return body.error ?? {};
}

function finish(form) {
  if (form.dataset.after) {
    window.location.assign(form.dataset.after);
    return;
  }
  if ("token" in form.dataset) {
    window.history.replaceState(null, "", window.location.pathname); // the token is used up
  }
  form.hidden = true;
  const done = document.querySelector("[data-done]");
  done.hidden = false;
  done.focus();
}

async function submit(form, button) {
  clear(form);
  if ("token" in form.dataset && tokenOfLink() === "") {
    showAlert(form, INCOMPLETE);
    return;
  }
  if (!isComplete(form)) return;
  button.setAttribute("aria-busy", "true");
  try {
    const problem = await send(form);
    if (problem === null) finish(form);
    else showProblem(form, problem);
  } catch {
    showAlert(form, UNREACHABLE);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

for (const form of document.querySelectorAll("form[data-post]")) {
  const button = form.querySelector('button[type="submit"]');
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-busy") !== "true") submit(form, button);
  });
  form.addEventListener("input", ({ target }) => {
    target.removeAttribute("aria-invalid");
    document.getElementById(`${target.id}-error`).hidden = true;
  });
  if ("token" in form.dataset && tokenOfLink() === "") showAlert(form, INCOMPLETE);
}

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? "Hide" : "Show";
  });
}
