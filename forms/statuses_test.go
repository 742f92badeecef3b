package forms_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/forms"
	"doorward/runtime/flow"
)

// statuses is an execution in each status, and each form behind a link.
func statuses() map[string]forms.SignOn {
	return map[string]forms.SignOn{
		"USERNAME_PASSWORD_REQUIRED": signOn(), "SIGN_ON_REQUIRED": lookup(), "PASSWORD_REQUIRED": password(), "ACCOUNT_LINKING_REQUIRED": unlinked(),
		"PASSWORD_EXPIRED": expired(), "MUST_CHANGE_PASSWORD": change("MUST_CHANGE_PASSWORD"),
		"RECOVERY_CODE_REQUIRED": recovery(), "VERIFICATION_CODE_REQUIRED": verification(),
		flow.ContinueRequired: outOfTime(),
		"user.register":       registration(), "password.forgot": forgotten(),
	}
}

// TestEveryStatusInEveryLanguage reads each page: its title, the sentence under
// it, its button.
func TestEveryStatusInEveryLanguage(t *testing.T) {
	type words struct{ title, lead, button string }
	want := map[string]map[string]words{
		"en": {
			"USERNAME_PASSWORD_REQUIRED": {"Sign on", "to continue to Acme Travel", "Sign on"},
			"SIGN_ON_REQUIRED":           {"Sign on", "to continue to Acme Travel", "Continue"},
			"PASSWORD_REQUIRED":          {"Enter your password", "to continue to Acme Travel", "Sign on"},
			"ACCOUNT_LINKING_REQUIRED":   {"Link your account", "Your account at Partner is not linked to an account here yet. Sign on here once to link it.", "Sign on"},
			"PASSWORD_EXPIRED":           {"Your password has expired", "Choose a new one to go on.", "Change password"},
			"MUST_CHANGE_PASSWORD":       {"Choose your own password", "The one you just used was temporary.", "Change password"},
			"RECOVERY_CODE_REQUIRED":     {"Set a new password", "If there is an account for ada@example.com, we sent a code to its email address. It works for 5 minutes.", "Set password"},
			"VERIFICATION_CODE_REQUIRED": {"Verify your email address", "Enter the code we sent to j•••@example.com.", "Verify"},
			"CONTINUE_REQUIRED":          {"This takes a little longer", "What you entered is kept. Continue to go on.", "Continue"},
			"user.register":              {"Create your account", "to continue to Acme Travel", "Create account"},
			"password.forgot":            {"Forgot your password?", "We send a code to your email address. With it you set a new password.", "Send code"},
		},
		"de": {
			"USERNAME_PASSWORD_REQUIRED": {"Anmelden", "um mit Acme Travel fortzufahren", "Anmelden"},
			"SIGN_ON_REQUIRED":           {"Anmelden", "um mit Acme Travel fortzufahren", "Weiter"},
			"PASSWORD_REQUIRED":          {"Geben Sie Ihr Passwort ein", "um mit Acme Travel fortzufahren", "Anmelden"},
			"ACCOUNT_LINKING_REQUIRED":   {"Verknüpfen Sie Ihr Konto", "Ihr Konto bei Partner ist noch mit keinem Konto hier verknüpft. Melden Sie sich einmal hier an, um es zu verknüpfen.", "Anmelden"},
			"PASSWORD_EXPIRED":           {"Ihr Passwort ist abgelaufen", "Wählen Sie ein neues, um fortzufahren.", "Passwort ändern"},
			"MUST_CHANGE_PASSWORD":       {"Wählen Sie ein eigenes Passwort", "Das eben verwendete war nur vorläufig.", "Passwort ändern"},
			"RECOVERY_CODE_REQUIRED":     {"Neues Passwort festlegen", "Wenn es für ada@example.com ein Konto gibt, haben wir einen Code an dessen E-Mail-Adresse gesendet. Er gilt 5 Minuten.", "Passwort festlegen"},
			"VERIFICATION_CODE_REQUIRED": {"Bestätigen Sie Ihre E-Mail-Adresse", "Geben Sie den Code ein, den wir an j•••@example.com gesendet haben.", "Bestätigen"},
			"CONTINUE_REQUIRED":          {"Das dauert etwas länger", "Was Sie eingegeben haben, ist noch da. Wählen Sie „Weiter“, um fortzufahren.", "Weiter"},
			"user.register":              {"Erstellen Sie Ihr Konto", "um mit Acme Travel fortzufahren", "Konto erstellen"},
			"password.forgot":            {"Passwort vergessen?", "Wir senden einen Code an Ihre E-Mail-Adresse. Damit legen Sie ein neues Passwort fest.", "Code senden"},
		},
		"es": {
			"USERNAME_PASSWORD_REQUIRED": {"Iniciar sesión", "para continuar en Acme Travel", "Iniciar sesión"},
			"SIGN_ON_REQUIRED":           {"Iniciar sesión", "para continuar en Acme Travel", "Continuar"},
			"PASSWORD_REQUIRED":          {"Introduzca su contraseña", "para continuar en Acme Travel", "Iniciar sesión"},
			"ACCOUNT_LINKING_REQUIRED":   {"Vincule su cuenta", "Su cuenta de Partner aún no está vinculada a ninguna cuenta de aquí. Inicie sesión aquí una vez para vincularla.", "Iniciar sesión"},
			"PASSWORD_EXPIRED":           {"Su contraseña ha caducado", "Elija una nueva para continuar.", "Cambiar contraseña"},
			"MUST_CHANGE_PASSWORD":       {"Elija su propia contraseña", "La que acaba de usar era temporal.", "Cambiar contraseña"},
			"RECOVERY_CODE_REQUIRED":     {"Establezca una contraseña nueva", "Si hay una cuenta para ada@example.com, hemos enviado un código a su correo electrónico. Sirve durante 5 minutos.", "Establecer contraseña"},
			"VERIFICATION_CODE_REQUIRED": {"Verifique su correo electrónico", "Introduzca el código que hemos enviado a j•••@example.com.", "Verificar"},
			"CONTINUE_REQUIRED":          {"Esto tarda un poco más", "Lo que ha escrito se conserva. Elija «Continuar» para seguir.", "Continuar"},
			"user.register":              {"Cree su cuenta", "para continuar en Acme Travel", "Crear cuenta"},
			"password.forgot":            {"¿Ha olvidado su contraseña?", "Enviamos un código a su correo electrónico. Con él establece una contraseña nueva.", "Enviar código"},
		},
	}
	if got := pages(t).Languages(); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		t.Fatalf("there are pages in %q", got)
	}
	for language, rows := range want {
		for name, s := range statuses() {
			t.Run(language+"/"+name, func(t *testing.T) {
				page := draw(t, language, s)
				if !strings.Contains(page, `<html lang="`+language+`">`) {
					t.Error("another language")
				}
				said := text(t, []byte(page))
				row, ok := rows[name]
				if !ok {
					t.Fatalf("no words are wanted of %s", said)
				}
				if want := row.title + " " + row.lead; !strings.Contains(strings.NewReplacer(" .", ".", " ,", ",").Replace(said), want) {
					t.Errorf("no %q in %s", want, said)
				}
				if !strings.Contains(page, `<button class="button" type="submit">`+row.button+`</button>`) {
					t.Errorf("no button %q in %s", row.button, said)
				}
				noEnglish(t, language, said)
			})
		}
	}
}

// noEnglish holds that a page in another language has no English in it.
func noEnglish(t *testing.T, language, said string) {
	t.Helper()
	for _, english := range []string{"Sign", "assword you", "your", "Show", "Hide", "optional )", "At least", "Username", "code,"} {
		if language != "en" && strings.Contains(said, english) {
			t.Errorf("%q in %s", english, said)
		}
	}
}

func TestEverySentenceInEveryLanguage(t *testing.T) {
	wrongCode := flow.Detail{Code: flow.InvalidValue, Target: "recoveryCode"}
	for name, row := range map[string]struct {
		page       forms.SignOn
		action     string
		detail     flow.Detail
		en, de, es string
	}{
		"wrong name or password": {
			signOn(), "usernamePassword.check",
			flow.Detail{Code: flow.InvalidCredentials, Target: "password"},
			"That username and password do not match. Check both and try again.",
			"Benutzername und Passwort passen nicht zusammen. Prüfen Sie beides, und versuchen Sie es erneut.",
			"El nombre de usuario y la contraseña no coinciden. Revise ambos e inténtelo de nuevo.",
		},
		"wrong password of whom the page is about": {
			password(), "usernamePassword.check",
			flow.Detail{Code: flow.InvalidCredentials, Target: "password"},
			"That password is not right. Try again.", "Dieses Passwort stimmt nicht. Versuchen Sie es erneut.", "La contraseña no es correcta. Inténtelo de nuevo.",
		},
		"locked for a quarter of an hour": {
			signOn(), "usernamePassword.check", inner(flow.PasswordLockedOut, "password", "secondsUntilUnlock", 845),
			"There were too many tries. Try again in 15 minutes.", "Es gab zu viele Versuche. Versuchen Sie es in 15 Minuten erneut.", "Ha habido demasiados intentos. Inténtelo de nuevo en 15 minutos.",
		},
		"locked for a moment": {
			signOn(), "usernamePassword.check", inner(flow.PasswordLockedOut, "password", "secondsUntilUnlock", 1),
			"Try again in 1 minute.", "in 1 Minute erneut.", "en 1 minuto.",
		},
		"locked for hours, read from a store": {
			signOn(), "usernamePassword.check", inner(flow.PasswordLockedOut, "password", "secondsUntilUnlock", int64(91*60)),
			"Try again in 2 hours.", "in 2 Stunden erneut.", "en 2 horas.",
		},
		"a name is missing": {
			signOn(), "usernamePassword.check",
			flow.Detail{Code: flow.RequiredValue, Target: "username"},
			"Enter your username.", "Geben Sie Ihren Benutzernamen ein.", "Introduzca su nombre de usuario.",
		},
		"an empty password": {
			signOn(), "usernamePassword.check",
			flow.Detail{Code: flow.EmptyValue, Target: "password"},
			"Enter your password.", "Geben Sie Ihr Passwort ein.", "Introduzca su contraseña.",
		},
		"something without a sentence of its own is missing": {
			registration(), "user.register",
			flow.Detail{Code: flow.RequiredValue, Target: "name.family"},
			"Fill in “Last name”.", "Füllen Sie „Nachname“ aus.", "Rellene «Apellidos».",
		},
		"too long": {
			signOn(), "usernamePassword.check", inner(flow.SizeLimitExceeded, "username", "maximumValue", 128),
			"“Username” is too long. Use at most 128 characters.", "„Benutzername“ ist zu lang. Verwenden Sie höchstens 128 Zeichen.", "«Nombre de usuario» es demasiado largo. Use como máximo 128 caracteres.",
		},
		"too long by an unknown measure": {
			signOn(), "usernamePassword.check",
			flow.Detail{Code: flow.SizeLimitExceeded, Target: "username"},
			"We could not take that. Try again.", "Das konnten wir nicht annehmen. Versuchen Sie es erneut.", "No hemos podido aceptar eso. Inténtelo de nuevo.",
		},
		"a wrong code": {
			recovery(), "password.recover", wrongCode,
			"That code is not right, or it has expired. Check it, or ask for a new one.", "Dieser Code stimmt nicht oder ist abgelaufen. Prüfen Sie ihn, oder fordern Sie einen neuen an.", "Ese código no es correcto o ha caducado. Revíselo o pida uno nuevo.",
		},
		"a wrong code with tries left": {
			recovery(), "password.recover", inner(flow.InvalidValue, "recoveryCode", "attemptsRemaining", 3),
			"That code is not right. You have 3 tries left.", "Dieser Code stimmt nicht. Sie haben noch 3 Versuche.", "Ese código no es correcto. Le quedan 3 intentos.",
		},
		"a wrong code with one try left": {
			verification(), "user.verify", inner(flow.InvalidValue, "verificationCode", "attemptsRemaining", 1),
			"You have 1 try left.", "Sie haben noch 1 Versuch.", "Le queda 1 intento.",
		},
		"a spent code": {
			recovery(), "password.recover", inner(flow.InvalidValue, "recoveryCode", "attemptsRemaining", 0),
			"There were too many tries, and the code no longer works. Ask for a new one.", "Es gab zu viele Versuche, und der Code gilt nicht mehr. Fordern Sie einen neuen an.", "Ha habido demasiados intentos y el código ya no sirve. Pida uno nuevo.",
		},
		"another person's name": {
			password(), "usernamePassword.check",
			flow.Detail{Code: flow.InvalidValue, Target: "username"},
			"You are signing on as ada@example.com. To be somebody else, choose “Not you?”.", "Sie melden sich als ada@example.com an. Um jemand anderes zu sein, wählen Sie „Nicht Ihr Konto?“.", "Está iniciando sesión como ada@example.com. Para entrar como otra persona, elija «¿No es usted?».",
		},
		"a name that cannot be one": {
			registration(), "user.register",
			flow.Detail{Code: flow.InvalidValue, Target: "username"},
			"That cannot be a username.", "Das kann kein Benutzername sein.", "Eso no puede ser un nombre de usuario.",
		},
		"a taken name": {
			registration(), "user.register",
			flow.Detail{Code: flow.UniquenessViolation, Target: "username"},
			"“Username” is taken. Choose another one.", "„Benutzername“ ist vergeben. Wählen Sie etwas anderes.", "«Nombre de usuario» ya está en uso. Elija otro.",
		},
		"another current password": {
			expired(), "password.reset",
			flow.Detail{Code: flow.InvalidValue, Target: "currentPassword"},
			"That is not your current password. Try again.", "Das ist nicht Ihr jetziges Passwort. Versuchen Sie es erneut.", "Esa no es su contraseña actual. Inténtelo de nuevo.",
		},
		"changed too soon": {
			expired(), "password.reset",
			flow.Detail{Code: flow.ConstraintViolation, Target: "newPassword"},
			"You changed this password a short time ago", "Sie haben dieses Passwort vor Kurzem geändert", "Cambió esta contraseña hace poco",
		},
		"a rule broken": {
			expired(), "password.reset", inner(flow.InvalidValue, "newPassword", "unsatisfiedRequirements", []string{"history"}),
			"The password does not meet what is marked below.", "Das Passwort erfüllt nicht, was unten markiert ist.", "La contraseña no cumple lo que está marcado abajo.",
		},
		"a rule broken that nobody knows": {
			expired(), "password.reset", inner(flow.InvalidValue, "newPassword", "unsatisfiedRequirements", []string{"moonPhase"}),
			"“New password” is not right.", "„Neues Passwort“ stimmt nicht.", "«Contraseña nueva» no es correcto.",
		},
		"a code nobody knows": {
			signOn(), "usernamePassword.check",
			flow.Detail{Code: "MOON_PHASE", Target: "password", Message: "developer's words"},
			"We could not take that. Try again.", "Das konnten wir nicht annehmen.", "No hemos podido aceptar eso.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for language, want := range map[string]string{"en": row.en, "de": row.de, "es": row.es} {
				page := draw(t, language, refuse(row.page, row.action, row.detail))
				if said := text(t, []byte(page)); !strings.Contains(said, want) {
					t.Errorf("no %q in %s", want, said)
				}
				if !strings.Contains(page, `<title>`+map[string]string{"en": "Error: ", "de": "Fehler: ", "es": "Error: "}[language]) || strings.Contains(page, "developer") {
					t.Errorf("%s", page)
				}
			}
		})
	}
}

// TestMessagePages reads the pages that have no step, in every language.
func TestMessagePages(t *testing.T) {
	p := pages(t)
	failed := flow.View{Status: flow.Failed, Failure: &flow.Failure{Code: "ACCOUNT_DISABLED", Message: "developer's words"}}
	unknown := flow.View{Status: flow.Failed, Failure: &flow.Failure{Code: "MOON_PHASE", Message: "The moon is full."}}
	for name, row := range map[string]struct {
		draw       func(forms.Setting) []byte
		en, de, es string
	}{
		"failed": {
			func(set forms.Setting) []byte { return p.Failed(set, &failed, "Acme Travel", "https://a/resume") },
			"We could not sign you on This account is disabled. Ask your administrator to enable it. Go back to Acme Travel",
			"Wir konnten Sie nicht anmelden Dieses Konto ist gesperrt. Bitten Sie Ihren Administrator, es freizugeben. Zurück zu Acme Travel",
			"No hemos podido darle acceso Esta cuenta está desactivada. Pida a su administrador que la active. Volver a Acme Travel",
		},
		"failed without an application": {
			func(set forms.Setting) []byte { return p.Failed(set, &flow.View{}, "", "https://a/resume") },
			"Go back to the application to try again or to get help. Go back", "Zurück zur Anwendung", "Volver a la aplicación",
		},
		"failed for a reason of its own": {
			func(set forms.Setting) []byte { return p.Failed(set, &unknown, "", "https://a/") },
			"The moon is full.", "The moon is full.", "The moon is full.",
		},
		"sign off": {
			func(set forms.Setting) []byte {
				return p.SignOff(set, "/e/as/signoff", [][2]string{{"token", "t"}, {"state", `"><b>`}})
			},
			"Sign off? Your sign-on in this browser ends.", "Abmelden? Ihre Anmeldung in diesem Browser endet.", "¿Cerrar sesión? Se cerrará su sesión en este navegador.",
		},
		"signed off": {
			p.SignedOff,
			"You are signed off You can close this page.", "Sie sind abgemeldet Sie können diese Seite schließen.", "Ha cerrado la sesión Puede cerrar esta página.",
		},
		"a code": {
			func(set forms.Setting) []byte { return p.Code(set, "AB34EF78") },
			"Your code Go back to the page or the app where you began, and enter this code there. AB34EF78", "Ihr Code Gehen Sie zurück", "Su código Vuelva a la página",
		},
		"everything": {
			func(set forms.Setting) []byte { return p.Gallery(set, here) },
			"Step 2 of 3", "Schritt 2 von 3", "Paso 2 de 3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for language, want := range map[string]string{"en": row.en, "de": row.de, "es": row.es} {
				said := text(t, []byte(drawn(t, row.draw(acme(language)))))
				if !strings.Contains(said, want) || strings.Contains(said, "developer") {
					t.Errorf("no %q in %s", want, said)
				}
			}
		})
	}
}

// TestFaultPages: every fault has a page, which says what to do and not what a
// developer would want to know.
func TestFaultPages(t *testing.T) {
	p := pages(t)
	for _, code := range []flow.Code{flow.InvalidData, flow.InvalidRequest, flow.InvalidToken, flow.AccessFailed, flow.NotFound, flow.MethodNotAllowed, flow.Conflict, flow.TooLarge, flow.UnsupportedMedia, flow.Misdirected, flow.Limited, flow.Unavailable, flow.Unexpected} {
		for _, language := range p.Languages() {
			for _, restart := range []bool{false, true} {
				fault := &flow.Fault{Code: code, Restart: restart, Message: "developer's words"}
				page := drawn(t, p.Fault(acme(language), fault, "the-id", "https://a/signon"))
				if strings.Contains(page, "developer's") {
					t.Errorf("%s says %s", code, page)
				}
				if shown := strings.Contains(page, "the-id"); shown == (code == flow.NotFound) {
					t.Errorf("%s: reference shown: %t", code, shown)
				}
				again := code == flow.Unavailable || code == flow.Limited || code == flow.AccessFailed || code == flow.Unexpected
				if strings.Contains(page, `class="button" href="https://a/signon"`) != again {
					t.Errorf("%s: can be tried again: %t", code, !again)
				}
			}
		}
	}
}

// A wait of more than a moment is told with its length.
func TestALongWaitIsTold(t *testing.T) {
	for language, want := range map[string]string{"en": "Try again in 15 minutes.", "de": "Versuchen Sie es in 15 Minuten erneut.", "es": "Inténtelo de nuevo en 15 minutos."} {
		page := drawn(t, pages(t).Fault(acme(language), &flow.Fault{Code: flow.Limited, RetryAfter: 15 * time.Minute}, "the-id", ""))
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
}

func TestATheme(t *testing.T) {
	set := acme("en")
	set.Theme = forms.Theme{Style: "/e/theme.1.css", Logo: "https://cdn.example/logo.svg", DarkLogo: "https://cdn.example/dark.svg"}
	page := drawn(t, pages(t).SignedOff(set))
	for _, want := range []string{
		`<link rel="stylesheet" href="/e/theme.1.css">`,
		`<source media="(prefers-color-scheme: dark)" srcset="https://cdn.example/dark.svg">`,
		`<img src="https://cdn.example/logo.svg" alt="Acme" height="40" referrerpolicy="no-referrer">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
	if strings.Contains(page, `class="mark"`) || strings.Index(page, "page.") > strings.Index(page, "theme.1.css") {
		t.Errorf("a letter beside the logo, or a theme before the tokens it changes: %s", page)
	}
}
