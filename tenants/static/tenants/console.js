// What the theme leaves to be said to those who do not see icons, and to be done for those who do not point.
(() => {
  const CONTROLS = "a, button, [role=button]";

  function nameIcons(root) {
    for (const icon of root.querySelectorAll(".material-symbols-outlined:not([aria-hidden])")) {
      const word = icon.textContent.trim();
      const control = icon.closest(CONTROLS);
      icon.setAttribute("aria-hidden", "true");
      if (control && !control.hasAttribute("aria-label") && control.textContent.trim() === word) {
        control.setAttribute("aria-label", control.title || word.replaceAll("_", " "));
      }
    }
  }

  function reachByKeyboard(root) {
    for (const control of root.querySelectorAll("a:not([href]):not([tabindex])")) {
      control.tabIndex = 0;
      control.setAttribute("role", "button");
      control.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          control.click();
        }
      });
    }
  }

  function nameChoices(root) {
    for (const shown of root.querySelectorAll(".select2-selection__rendered:not([aria-label])")) {
      const select = shown.closest(".select2")?.previousElementSibling;
      const label = select && document.querySelector(`label[for="${select.id}"]`);
      shown.setAttribute("aria-label", label ? label.textContent.replace("*", "").trim() : "Choice");
    }
  }

  function improve(root) {
    reachByKeyboard(root);
    nameIcons(root);
    nameChoices(root);
  }

  // The theme takes every part of a page that was fetched anew for rows of an inline form.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!event.target.dataset.inlineFormset) event.stopPropagation();
  }, { capture: true });

  window.addEventListener("load", () => {
    improve(document);
    if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus(); // it was hidden before
    new MutationObserver((changes) => {
      if (changes.some((change) => change.addedNodes.length)) improve(document);
    }).observe(document.body, { childList: true, subtree: true });
  });
})();
