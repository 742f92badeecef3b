package mailtest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
)

// Mail is one that arrived.
type Mail struct {
	To      string // of the envelope
	From    string // of the header
	Subject string
	Text    string // the part that is plain, lines ended by \n
	HTML    string
	Header  mail.Header
	Raw     []byte
}

// Code is the one-time code, without what groups it for reading; empty when the
// mail has none. It stands on a line of its own.
func (m Mail) Code() string {
	found := regexp.MustCompile(`(?m)^[ \t]*([A-Z0-9]{3,4}(?:[ -][A-Z0-9]{3,4})*|[0-9]{10})[ \t]*$`).FindStringSubmatch(m.Text)
	if found == nil {
		return ""
	}
	return strings.NewReplacer(" ", "", "-", "").Replace(found[1])
}

// Link is the first address in the text; empty when there is none.
func (m Mail) Link() string {
	return regexp.MustCompile(`https?://\S+`).FindString(m.Text)
}

func parse(to string, raw []byte) (Mail, error) {
	got, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, err
	}
	m := Mail{To: to, Header: got.Header, Raw: raw}
	words := &mime.WordDecoder{}
	if m.Subject, err = words.DecodeHeader(got.Header.Get("Subject")); err != nil {
		return Mail{}, err
	}
	if m.From, err = words.DecodeHeader(got.Header.Get("From")); err != nil {
		return Mail{}, err
	}
	err = m.read(got.Header.Get("Content-Type"), got.Header.Get("Content-Transfer-Encoding"), got.Body)
	return m, err
}

// read takes a part, and the parts of a part.
func (m *Mail) read(contentType, encoding string, r io.Reader) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(r, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.read(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	switch kind {
	case "text/plain":
		m.Text = text
	case "text/html":
		m.HTML = text
	}
	return nil
}
