// Comforts for the hosted pages; every page works without them.
(function () {
  "use strict";

  // A button to look at what was typed into a password field.
  document.querySelectorAll("input[type=password]").forEach(function (input) {
    var button = document.createElement("button");
    var shown = false;
    function paint() {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide" : "Show";
      button.setAttribute("aria-label", (shown ? "Hide " : "Show ") + input.labels[0].textContent.trim().toLowerCase());
    }
    button.type = "button";
    button.className = "reveal";
    button.setAttribute("aria-controls", input.id);
    button.addEventListener("click", function () {
      shown = !shown;
      paint();
      input.focus();
    });
    input.spellcheck = false;
    input.autocapitalize = "off";
    input.form.addEventListener("submit", function () {
      shown = false;
      paint();
    });
    paint();
    input.parentNode.classList.add("reveals");
    input.parentNode.appendChild(button);
  });

  // One submit at a time: the second press of a button waits for the first.
  document.querySelectorAll("form").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if (form.getAttribute("aria-busy") === "true") {
        event.preventDefault();
        return;
      }
      form.setAttribute("aria-busy", "true");
    });
  });

  // Coming back by the back button: nothing is under way any more.
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[aria-busy]").forEach(function (form) {
      form.removeAttribute("aria-busy");
    });
  });
})();
