package main_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

// TestFaultsTellNoSecrets goes through a sign-on with a store that fails on the
// way, and looks for what was secret in everything that is kept: the log, the
// append-only file of Redis, the database.
func TestFaultsTellNoSecrets(t *testing.T) {
	t.Parallel()
	store := t.TempDir()
	s := redistest.Start(t, "--dir", store)
	o := patient(t, s)
	n := nodetest.Start(t, o)
	const wrong, stranger = "canary-of-a-wrong-password", "canary-of-a-name"
	secrets := map[string]string{"password": nodetest.Password, "wrong password": wrong, "name of nobody": stranger}
	w := at(n).mustStart(t)
	secrets["first ST"], secrets["Flow-Token"], secrets["step token"] = w.cookie, w.token, w.etag[1:len(w.etag)-1]
	guesses := []deed{
		w.submit(checkAction, `{"username":"`+stranger+`","password":"`+wrong+`"}`),
		w.submit(checkAction, `{"username":"ada","password":"`+wrong+`"`), // cut off
		w.submit(checkAction, `{"username":"ada","password":["`+wrong+`"]}`),
		w.submit(wrong, `{}`),
	}
	for i := range guesses {
		guesses[i].etag = "" // none of them is out of date
	}
	w.must(t, guesses[0], http.StatusBadRequest)
	s.Kill()
	right := w.submit(checkAction, rightOne)
	w.must(t, right, http.StatusServiceUnavailable)
	for _, d := range guesses {
		w.must(t, d, http.StatusServiceUnavailable)
	}
	s.Restart()
	recovers(t, n, w)
	for _, d := range guesses[1:] {
		if a, err := w.do(d); err != nil || a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %v, %v", d.body, a, err)
		}
	}
	w.must(t, right, http.StatusOK)
	secrets["ST of the session"] = w.cookie
	secrets["code"] = w.must(t, w.resume(), http.StatusOK).code()
	tokens := w.must(t, w.redeem(secrets["code"]), http.StatusOK)
	secrets["access token"], secrets["ID token"] = member(tokens.body, "access_token"), member(tokens.body, "id_token")
	_ = w.must(t, w.redeem(secrets["code"]), http.StatusBadRequest)
	if err := n.Term(); err != nil {
		t.Errorf("ended with %v", err)
	}
	// the greeting tells the demo's password, on purpose and alone
	log := strings.Replace(n.Log(), "sign on as ada with "+nodetest.Password, "", 1)
	kept := map[string][]byte{"log": []byte(log)}
	for _, dir := range []string{store, filepath.Dir(o.DB), n.Data} {
		read(t, dir, kept)
	}
	if len(kept) < 4 {
		t.Errorf("only %d files to search", len(kept))
	}
	search(t, secrets, kept)
	if !bytes.Contains(kept["log"], []byte(w.flow)) {
		t.Error("the log that was searched does not tell of the flow")
	}
}

// search looks for each secret as it is and for the bytes it encodes.
func search(t *testing.T, secrets map[string]string, kept map[string][]byte) {
	t.Helper()
	for name, secret := range secrets {
		if len(secret) < 10 {
			t.Errorf("%s is %q", name, secret)
		}
		raw, _ := base64.RawURLEncoding.DecodeString(secret)
		for file, content := range kept {
			if bytes.Contains(content, []byte(secret)) || (len(raw) > 15 && bytes.Contains(content, raw)) {
				t.Errorf("%s is in %s", name, file)
			}
		}
	}
}

// read adds every file under dir.
func read(t *testing.T, dir string, into map[string][]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		into[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
