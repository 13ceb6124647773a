// Everything here makes pages easier to use. They work without it.
(() => {
  "use strict";
  const ready = (root) => {
    for (const b of root.querySelectorAll("[data-copy]")) b.hidden = false;
    for (const f of root.querySelectorAll("form[data-code]")) {
      const code = location.hash.slice(1); // letters and digits, which are never escaped
      const field = f.elements.namedItem("code");
      if (code && field && !field.value) {
        field.value = code;
        // Neither the history nor a bookmark keeps the code.
        history.replaceState(null, "", location.pathname + location.search);
        f.classList.add("known");
      }
    }
  };
  document.addEventListener("click", async (e) => {
    const b = e.target.closest("[data-copy]");
    if (!b) return;
    const from = document.getElementById(b.dataset.copy);
    try {
      await navigator.clipboard.writeText(from.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(from);
      const s = getSelection();
      s.removeAllRanges();
      s.addRange(range);
      return;
    }
    const text = b.innerHTML;
    b.textContent = b.dataset.done;
    b.classList.add("done");
    setTimeout(() => { b.innerHTML = text; b.classList.remove("done"); }, 1500);
  });
  ready(document);
  // On a phone the tabs are in one row, which may begin far from the current one.
  document.querySelector("nav.side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
  // Somebody pastes the whole link into a window that shows its page already.
  addEventListener("hashchange", () => ready(document));
  // The keyboard stays where it was if the part with the focus is replaced: on the same element, else around it.
  let held = null, around = null;
  document.addEventListener("htmx:before:swap", () => {
    held = document.activeElement;
    around = held && held.closest("[role=status], [aria-live]");
  });
  document.addEventListener("htmx:after:swap", () => {
    ready(document);
    if (!held || !around || held.isConnected) return;
    const same = held.id && document.getElementById(held.id);
    if (!same) around.tabIndex = -1;
    (same || around).focus({ preventScroll: true });
  });
  // Escape closes the nearest thing that is open.
  document.addEventListener("keydown", (e) => {
    const open = e.key === "Escape" && e.target.closest && e.target.closest("details[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
})();
