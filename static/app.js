// Local times, live pages that never take anything out of one's hands, and one press per button.
(function () {
  "use strict";
  var answered = Date.now(); // when the portal last answered
  var typing = false;        // somebody is at work in a form of this page
  var sending = false;       // a form is on its way
  var passed = false;        // something changed meanwhile

  function pad(n) { return (n < 10 ? "0" : "") + n; }

  // times writes every <time> in the reader's zone; its title keeps UTC. The date shows where it is not today's.
  function times(root) {
    root.querySelectorAll("time[datetime]").forEach(function (el) {
      var at = new Date(el.getAttribute("datetime"));
      if (isNaN(at)) { return; }
      var today = at.toDateString() === new Date().toDateString();
      var day = today ? "" : at.getFullYear() + "-" + pad(at.getMonth() + 1) + "-" + pad(at.getDate()) + " ";
      var zone = at.toLocaleTimeString("en-GB", { timeZoneName: "short" }).split(" ").pop();
      var text = day + pad(at.getHours()) + ":" + pad(at.getMinutes()) + ":" + pad(at.getSeconds()) + " " + zone;
      if (el.textContent !== text) { el.textContent = text; }
    });
  }

  function main() { return document.getElementById("page"); }
  function live() { return main() !== null && main().hasAttribute("data-live"); }

  // look asks for the page again, unless someone is at work in a form on it.
  function look() {
    if (!live() || typing || sending || document.hidden) { return; }
    window.htmx.ajax("GET", location.pathname + location.search, { target: "#page", select: "#page", swap: "morph:outerHTML" });
  }

  var waiting = 0;
  function soon() { window.clearTimeout(waiting); waiting = window.setTimeout(look, 80); }

  // heard is an event of the portal, which names the newest change; the page names the one that it was made after.
  function heard(e) {
    answered = Date.now();
    if (live() && Number(e.data) > Number(main().dataset.change)) {
      passed = typing;
      soon();
    }
    tell();
  }

  // tell says how old the page is when it is, and that something changed behind a form.
  function tell() {
    var banner = document.getElementById("stale");
    if (!banner || !live()) { return; }
    var age = Math.round((Date.now() - answered) / 1000);
    var text = "";
    if (age >= 8) { text = "No answer for " + age + " s. What you see may be old."; }
    else if (passed) { text = "Something has changed since you began to type. Sending the form shows it; so does loading the page again."; }
    if (banner.textContent !== text) { banner.textContent = text; }
    banner.hidden = text === "";
  }

  document.addEventListener("input", function (e) { if (e.target.closest("#page form")) { typing = true; } });
  document.addEventListener("submit", function (e) {
    if (sending) { e.preventDefault(); return; }
    sending = true;
    window.setTimeout(function () { sending = false; }, 8000); // it may have been a download
  });
  document.addEventListener("visibilitychange", look);
  window.addEventListener("focus", look);
  window.addEventListener("online", look);
  window.addEventListener("pageshow", function () { sending = false; });

  var events = null;
  function listen() {
    if (events && events.readyState !== EventSource.CLOSED) { return; }
    events = new EventSource("/events");
    events.addEventListener("change", heard);
    events.addEventListener("beat", heard);
  }

  document.addEventListener("DOMContentLoaded", function () {
    times(document);
    if (!live()) { return; }
    // What a reader has opened stays open.
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = function (name, node) {
      return !(name === "open" && node.nodeName === "DETAILS");
    };
    document.body.addEventListener("htmx:beforeSwap", function (e) { if (typing || sending) { e.detail.shouldSwap = false; } });
    document.body.addEventListener("htmx:afterSwap", function () { times(document); });
    document.body.addEventListener("htmx:afterRequest", function (e) {
      if (e.detail.xhr && e.detail.xhr.status === 200) { answered = Date.now(); tell(); }
    });
    listen();
    window.setInterval(function () { listen(); look(); }, 10000);
    window.setInterval(tell, 1000);
  });
})();
