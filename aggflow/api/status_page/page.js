// Keeps what is live up to date, and copies commands. The page is whole without it.
"use strict";

const BUSY_MS = 2000, QUIET_MS = 15000;

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(part.id);
    if (!now) continue;
    // What is the same stays, so that a picture is not loaded again.
    if (now.innerHTML !== part.innerHTML) part.innerHTML = now.innerHTML;
    part.toggleAttribute("data-busy", now.hasAttribute("data-busy"));
  }
}

async function keepFresh() {
  const wait = document.querySelector("[data-busy]") ? BUSY_MS : QUIET_MS;
  setTimeout(async () => {
    try {
      await refresh();
    } catch {
      // The service is away for a moment: what is shown stays, and it is asked again.
    }
    keepFresh();
  }, wait);
}

function select(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const command = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = "Copied";
  } catch {
    // Browsers let only safe addresses copy: then the user does, with a key.
    select(command);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

keepFresh();
