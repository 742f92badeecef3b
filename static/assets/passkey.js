// Passkeys: asks the browser for what a form describes in data-passkey, and
// submits the form with the answer.
(function () {
  "use strict";
  var can = navigator.credentials && window.PublicKeyCredential;

  // Binary values come as base64url, or in the older form as lists of signed bytes.
  function bytes(value) {
    if (typeof value !== "string") {
      return new Uint8Array(value);
    }
    return Uint8Array.from(atob(value.replace(/-/g, "+").replace(/_/g, "/")), function (c) { return c.charCodeAt(0); });
  }
  function text(buffer) {
    var binary = Array.from(new Uint8Array(buffer), function (b) { return String.fromCharCode(b); }).join("");
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  }

  function options(form, quiet) {
    var o = JSON.parse(quiet ? form.dataset.quiet : form.dataset.passkey);
    var parse = form.elements.attestation ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
    if (typeof o.challenge === "string" && can[parse]) {
      return can[parse](o);
    }
    o.challenge = bytes(o.challenge);
    if (o.user) {
      o.user.id = bytes(o.user.id);
    }
    (o.allowCredentials || []).concat(o.excludeCredentials || []).forEach(function (c) { c.id = bytes(c.id); });
    (o.pubKeyCredParams || []).forEach(function (p) { p.alg = Number(p.alg); });
    return o;
  }

  // What the authenticator said. Password managers that stand in for it may lack
  // toJSON.
  function words(credential) {
    try {
      if (credential.toJSON) {
        return JSON.stringify(credential);
      }
    } catch (e) { /* by hand */ }
    var said = credential.response;
    var out = {};
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (said[name]) {
        out[name] = text(said[name]);
      }
    });
    if (said.getTransports) {
      out.transports = said.getTransports();
    }
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response: out,
      authenticatorAttachment: credential.authenticatorAttachment || undefined,
      clientExtensionResults: credential.getClientExtensionResults()
    });
  }

  function ask(form, how, quiet) {
    return Promise.resolve(how).then(function () {
      how.publicKey = options(form, quiet);
      return form.elements.attestation ? navigator.credentials.create(how) : navigator.credentials.get(how);
    });
  }
  function submit(form, credential) {
    (form.elements.attestation || form.elements.assertion).value = words(credential);
    form.elements.origin.value = location.origin;
    form.requestSubmit();
  }

  // Beside the inputs: the browser offers passkeys where it offers names. There is
  // one request at a time, so that a button has to end this one first.
  var waiting = Promise.resolve();
  var stop = function () {};
  function wait(form) {
    var abort = new AbortController();
    stop = function () { abort.abort(); };
    waiting = ask(form, { mediation: "conditional", signal: abort.signal }).then(function (credential) {
      submit(form, credential);
    }, function () { /* nobody asked for it */ });
  }

  // Where the browser makes passkeys by itself, for a password that it has just filled
  // in, it is let do so before the person is asked. They wait for a moment at most.
  function quietly(form) {
    var main = document.querySelector("main");
    var abort = new AbortController();
    function show() {
      abort.abort();
      main.removeAttribute("aria-busy");
    }
    stop = show;
    main.setAttribute("aria-busy", "true");
    setTimeout(show, 1500);
    waiting = can.getClientCapabilities().then(function (able) {
      return able.conditionalCreate ? ask(form, { mediation: "conditional", signal: abort.signal }, true) : Promise.reject();
    }).then(function (credential) {
      form.elements.quiet.value = "true";
      submit(form, credential);
    }).catch(show);
  }

  function tell(form, name) {
    var lines = Array.from(form.querySelectorAll("[data-error]"));
    var fits = lines.filter(function (line) { return line.dataset.error.split(" ").indexOf(name) >= 0; })[0] || lines[lines.length - 1];
    lines.forEach(function (line) { line.hidden = line !== fits; });
    form.querySelector(".error").hidden = !name;
  }

  function arm(form) {
    var button = form.querySelector("button");
    var beside = form.classList.contains("unseen") && document.querySelector("[autocomplete~=webauthn]");
    function rearm() {
      if (beside && can.isConditionalMediationAvailable) {
        can.isConditionalMediationAvailable().then(function (yes) { return yes && wait(form); });
      }
    }
    form.classList.remove("unseen");
    if (form.dataset.quiet && can.getClientCapabilities) {
      quietly(form);
    }
    button.addEventListener("click", function () {
      if (form.getAttribute("aria-busy") === "true") {
        return;
      }
      tell(form, "");
      form.setAttribute("aria-busy", "true");
      stop();
      waiting.then(function () { return ask(form, {}); }).then(function (credential) {
        form.removeAttribute("aria-busy");
        submit(form, credential);
      }).catch(function (error) {
        form.removeAttribute("aria-busy");
        tell(form, error.name);
        rearm();
      });
    });
    rearm();
  }

  // What keeps the browser's own list true: a passkey that nobody has here, and those
  // that the person has, with their name. Source: WebAuthn level 3, 5.1.10.
  function signal(name, what) {
    if (can && can[name]) {
      can[name](what).catch(function () { /* it knows better */ });
    }
  }
  document.querySelectorAll("[data-unknown]").forEach(function (form) {
    signal("signalUnknownCredential", { rpId: JSON.parse(form.dataset.passkey).rpId, credentialId: form.dataset.unknown });
  });
  document.querySelectorAll("[data-known]").forEach(function (item) {
    var known = JSON.parse(item.dataset.known);
    signal("signalAllAcceptedCredentials", { rpId: known.rpId, userId: known.userId, allAcceptedCredentialIds: known.ids });
    signal("signalCurrentUserDetails", { rpId: known.rpId, userId: known.userId, name: known.name, displayName: known.displayName });
  });

  document.querySelectorAll("[data-passkey]").forEach(function (form) {
    if (can) {
      arm(form);
      return;
    }
    form.querySelector("button").hidden = true;
    var unable = form.querySelector("[data-unable]");
    if (unable) {
      unable.hidden = false;
    } else {
      form.hidden = true;
    }
  });
  document.querySelectorAll("[data-scripted]").forEach(function (item) { item.hidden = !can; });

  // What the browser can do, for whoever asks.
  Promise.resolve(can && can.isUserVerifyingPlatformAuthenticatorAvailable()).catch(function () {}).then(function (platform) {
    document.querySelectorAll("[name=compatibility]").forEach(function (input) {
      input.value = !can ? "NONE" : platform ? "FULL" : "SECURITY_KEY_ONLY";
    });
  });
})();
