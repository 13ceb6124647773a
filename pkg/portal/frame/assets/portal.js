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
  // Somebody pastes the whole link into a window that shows its page already.
  addEventListener("hashchange", () => ready(document));
  document.addEventListener("htmx:after:swap", () => ready(document));
})();
