// Who is signed in, and signing out: buttons with `data-sign-out`, and places with `data-session` that say who it is.
"use strict";

const session = {
  // What goes with the cookie of this browser; null when nobody is signed in.
  async token() {
    const reply = await fetch("/api/v1/users/csrf/", { headers: { Accept: "application/json" } });
    return reply.ok ? (await reply.json()).csrf_token : null;
  },

  async signOut(after) {
    const token = await session.token();
    if (token !== null) {
      await fetch("/api/v1/users/session/", { method: "DELETE", headers: { "X-CSRFToken": token } });
    }
    window.location.assign(after);
  },

  async show(place) {
    const here = window.location.pathname;
    if ((await session.token()) === null) {
      const link = document.createElement("a");
      link.href = `/account/sign-in/?next=${encodeURIComponent(here)}`;
      link.textContent = "Sign in";
      place.replaceChildren(link);
      return;
    }
    const reply = await fetch("/api/v1/users/profile/", { headers: { Accept: "application/vnd.helpdesk.v1+json" } });
    const name = reply.ok ? (await reply.json()).username : "somebody";
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.signOut = here;
    button.textContent = "Sign out";
    place.replaceChildren(`Signed in as ${name} `, button);
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-sign-out]");
  if (button !== null) {
    button.disabled = true;
    session.signOut(button.dataset.signOut || "/account/sign-in/");
  }
});

for (const place of document.querySelectorAll("[data-session]")) {
  session.show(place);
}
