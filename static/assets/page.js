// Comforts for the hosted pages; every page works without them.
(function () {
  "use strict";

  // A button to look at what was typed into a password field.
  document.querySelectorAll(".reveal").forEach(function (button) {
    var input = document.getElementById(button.getAttribute("aria-controls"));
    var words = button.children;
    function show(shown) {
      input.type = shown ? "text" : "password";
      words[0].hidden = shown;
      words[1].hidden = !shown;
    }
    button.addEventListener("click", function () {
      show(input.type === "password");
      input.focus();
    });
    input.spellcheck = false;
    input.autocapitalize = "off";
    input.form.addEventListener("submit", function () {
      show(false);
    });
    input.parentNode.classList.add("reveals");
    button.hidden = false;
  });

  // What a password needs, by the first word of data-check. The server judges
  // the same, and more.
  function count(chars, has) {
    return chars.filter(has).length;
  }
  var checks = {
    length: function (chars, least, most) {
      return chars.length >= least && (most === "0" || chars.length <= most);
    },
    kind: function (chars, least, alphabet) {
      return count(chars, function (c) { return alphabet.indexOf(c) >= 0; }) >= least;
    },
    repeated: function (chars, most) {
      var run = 0;
      return chars.every(function (c, i) {
        run = c === chars[i - 1] ? run + 1 : 1;
        return run <= most;
      });
    },
    unique: function (chars, least) {
      return new Set(chars).size >= least;
    },
    run: function (chars, most) {
      var rows = Array.prototype.slice.call(arguments, 2);
      var folded = Array.from(chars.join("").toLowerCase().normalize("NFC"));
      return rows.every(function (row) { return longest(folded, row) <= most; });
    },
    days: function (chars, days) {
      var depth = 0;
      var sum = 0;
      [[/[A-Z]/, 26], [/[a-z]/, 26], [/[0-9]/, 10], [/[ -\/:-@[-\x60{-~]/, 33]].forEach(function (kind) {
        depth += chars.some(function (c) { return kind[0].test(c); }) ? kind[1] : 0;
      });
      if (chars.some(function (c) { return !/^[ -~]$/.test(c); })) {
        depth = 256;
      }
      chars.forEach(function (c, i) { sum += Math.pow(depth, i + 1); });
      return sum >= 1e11 * 86400 * days;
    }
  };

  // The longest run of neighbours of one row, all in one direction.
  function longest(chars, row) {
    var most = 0;
    var run = 0;
    var step = 0;
    var last = -1;
    chars.forEach(function (c) {
      var at = row.indexOf(c);
      var next = at - last;
      if (at < 0) {
        run = step = 0;
      } else if (last < 0 || Math.abs(next) !== 1) {
        run = 1;
        step = 0;
      } else if (next === step) {
        run++;
      } else {
        run = 2;
        step = next;
      }
      last = at;
      most = Math.max(most, run);
    });
    return most;
  }

  document.querySelectorAll(".rules").forEach(function (rules) {
    var input = document.getElementById(rules.id.replace(/-rules$/, ""));
    var items = Array.from(rules.querySelectorAll("[data-check]"));
    function judge() {
      var chars = Array.from(input.value.normalize("NFC"));
      var met = items.filter(function (item) {
        var words = item.dataset.check.split(" ");
        var good = chars.length > 0 && checks[words[0]].apply(null, [chars].concat(words.slice(1)));
        item.className = good ? "met" : "";
        item.querySelector(".aloud").textContent = good ? rules.dataset.met : "";
        return good;
      });
      rules.querySelector("[role=status] span").hidden = met.length < items.length;
    }
    input.addEventListener("input", judge);
    if (input.value) {
      judge();
    }
  });

  // A proof of work: a number whose digest begins with so many zero bits. Where it
  // cannot be worked out, the question stays.
  document.querySelectorAll(".proof").forEach(function (proof) {
    var input = proof.querySelector("input");
    var sign = proof.querySelector(".waiting");
    var bits = Number(proof.dataset.bits);
    var held = false;
    var solved = false;
    if (!bits || !window.crypto || !crypto.subtle) {
      return;
    }
    function zeros(digest) {
      var bytes = new Uint8Array(digest);
      var n = 0;
      while (n < 32 && bytes[n] === 0) {
        n++;
      }
      return n * 8 + (n < 32 ? Math.clz32(bytes[n]) - 24 : 0);
    }
    function work(from) {
      var tries = Array.from({ length: 256 }, function (_, i) {
        return crypto.subtle.digest("SHA-256", new TextEncoder().encode(proof.dataset.challenge + "." + (from + i)));
      });
      return Promise.all(tries).then(function (digests) {
        var found = digests.findIndex(function (d) { return zeros(d) >= bits; });
        return found < 0 ? work(from + 256) : from + found;
      });
    }
    input.parentNode.hidden = true;
    input.autofocus = false;
    sign.hidden = false;
    input.form.addEventListener("submit", function (event) {
      if (!solved) {
        event.preventDefault();
        held = true;
      }
    });
    work(0).then(function (n) {
      input.value = n;
      solved = true;
      sign.hidden = true;
      if (held) {
        input.form.requestSubmit();
      }
    });
  });

  // What is waited for: the form asks again by itself.
  document.querySelectorAll("[data-poll]").forEach(function (sign) {
    var form = sign.closest("form");
    setTimeout(function () { form.requestSubmit(); }, 5000);
  });

  // What happens elsewhere: the page is read again, and shown once it has become
  // another one.
  document.querySelectorAll("[data-read]").forEach(function (sign) {
    function look() {
      fetch(location.href, { redirect: "manual" }).then(function (answer) {
        return answer.status === 429 || answer.status >= 500 || answer.ok && answer.text().then(function (page) {
          return page.indexOf('data-read="' + sign.dataset.read + '"') >= 0;
        });
      }).catch(function () { return true; }).then(function (same) {
        if (!same) {
          location.replace(location.href);
          return;
        }
        setTimeout(look, 2000);
      });
    }
    setTimeout(look, 2000);
  });

  // A button to copy what has to be kept or typed elsewhere.
  document.querySelectorAll("[data-copy]").forEach(function (button) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(document.getElementById(button.dataset.copy).innerText).then(function () {
        button.children[0].hidden = true;
        button.children[1].hidden = false;
      });
    });
  });

  // Whether this browser can make a passkey: what may be offered to whoever has signed
  // on with the password that is typed here.
  var can = window.PublicKeyCredential;
  if (can && document.querySelector("[type=password]")) {
    can.isUserVerifyingPlatformAuthenticatorAvailable().then(function (yes) {
      document.cookie = "PK=1;path=/" + location.pathname.split("/")[1] + ";samesite=lax;max-age=" + (yes ? 3600 : 0) + (location.protocol === "https:" ? ";secure" : "");
    }).catch(function () { /* then nothing is offered */ });
  }

  // One submit at a time: the second press of a button waits for the first.
  document.querySelectorAll("form").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if (event.defaultPrevented) {
        return;
      }
      if (form.getAttribute("aria-busy") === "true") {
        event.preventDefault();
        return;
      }
      form.setAttribute("aria-busy", "true");
    });
  });

  // A page that tells what was wrong answers a submit. Loading it again, or coming
  // back to it, asks where the person is now instead of submitting once more.
  history.replaceState(null, "", location.href);

  // Coming back by the back button: nothing is under way any more.
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[aria-busy]").forEach(function (form) {
      form.removeAttribute("aria-busy");
    });
  });
})();
