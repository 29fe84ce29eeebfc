// Local times and ages, live pages that never take anything out of one's hands, and one press per button.
(function () {
  "use strict";
  var answered = Date.now();
  var dirty = false;

  function pad(n) { return (n < 10 ? "0" : "") + n; }

  // times writes every <time> in the reader's zone; its title keeps UTC.
  function times(root) {
    root.querySelectorAll("time[datetime]").forEach(function (el) {
      var at = new Date(el.getAttribute("datetime"));
      if (isNaN(at)) { return; }
      var day = at.toDateString() === new Date().toDateString() ? "" : at.getFullYear() + "-" + pad(at.getMonth() + 1) + "-" + pad(at.getDate()) + " ";
      var zone = at.toLocaleTimeString("en-GB", { timeZoneName: "short" }).split(" ").pop();
      var text = day + pad(at.getHours()) + ":" + pad(at.getMinutes()) + ":" + pad(at.getSeconds()) + " " + zone;
      if (el.textContent !== text) { el.textContent = text; }
    });
  }

  function main() { return document.getElementById("page"); }

  // look asks for the page again, unless someone is at work in a form on it.
  function look() {
    var page = main();
    if (!page || !page.hasAttribute("data-live") || dirty || document.hidden || !window.htmx) { return; }
    window.htmx.ajax("GET", location.pathname + location.search, { target: "#page", select: "#page", swap: "morph:outerHTML" });
  }

  function stale() {
    var banner = document.getElementById("stale");
    var page = main();
    if (!banner || !page || !page.hasAttribute("data-live")) { return; }
    var age = Math.round((Date.now() - answered) / 1000);
    banner.hidden = age < 15 || dirty;
    if (!banner.hidden) { banner.textContent = "No answer for " + age + " s. What you see may be old."; }
  }

  document.addEventListener("input", function (e) { if (e.target.closest("#page form")) { dirty = true; } });
  document.addEventListener("submit", function (e) {
    var form = e.target;
    if (form.dataset.sent) { e.preventDefault(); return; }
    form.dataset.sent = "1";
    window.setTimeout(function () { delete form.dataset.sent; }, 8000);
  });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) { look(); } });
  window.addEventListener("focus", look);
  window.addEventListener("online", look);
  window.addEventListener("pageshow", function () { dirty = false; document.querySelectorAll("form").forEach(function (f) { delete f.dataset.sent; }); });

  document.addEventListener("DOMContentLoaded", function () {
    times(document);
    if (!main() || !main().hasAttribute("data-live")) { return; }
    document.body.addEventListener("htmx:afterSwap", function () { times(document); });
    document.body.addEventListener("htmx:afterRequest", function (e) { if (e.detail.xhr && e.detail.xhr.status) { answered = Date.now(); stale(); } });
    document.body.addEventListener("htmx:beforeSwap", function (e) { if (dirty) { e.detail.shouldSwap = false; } });
    var waiting = 0;
    function soon() { window.clearTimeout(waiting); waiting = window.setTimeout(look, 80); }
    var events = new EventSource("/events");
    events.addEventListener("change", soon);
    events.addEventListener("beat", function () { answered = Date.now(); stale(); });
    events.onopen = soon;
    window.setInterval(function () { if (!dirty) { look(); } }, 10000);
    window.setInterval(stale, 1000);
  });
})();
