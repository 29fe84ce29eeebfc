package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// maxMessage bounds a message, in bytes.
const maxMessage = 256 << 10

// serveMail takes mail until ctx ends.
func (s *server) serveMail(ctx context.Context) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.cfg.Mail)
	if err != nil {
		return fmt.Errorf("the mailbox cannot take mail at %s: %w", s.cfg.Mail, err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{box: s.box}, nil }))
	server.Domain, server.ReadTimeout, server.WriteTimeout, server.MaxMessageBytes = "mailbox.demo", 10*time.Second, 10*time.Second, maxMessage
	stop := context.AfterFunc(ctx, func() { _ = errors.Join(listener.Close(), server.Close()) }) // it ends either way
	defer stop()
	s.mailing()
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the mailbox stopped taking mail: %w", err)
	}
	return nil
}

// delivery is one conversation with who sends mail.
type delivery struct {
	box *box
	to  []string
}

// Reset begins another mail.
func (d *delivery) Reset() { d.to = nil }

// Logout ends the conversation.
func (*delivery) Logout() error { return nil }

// Mail takes the sender.
func (*delivery) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes a receiver.
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = append(d.to, to)
	return nil
}

// Data takes the mail.
func (d *delivery) Data(r io.Reader) error {
	read, err := mail.ReadMessage(r)
	if err != nil {
		return fmt.Errorf("read a mail: %w", err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
	if err != nil {
		return fmt.Errorf("read a mail's subject: %w", err)
	}
	body := read.Body
	if strings.EqualFold(read.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read a mail's text: %w", err)
	}
	return d.box.take(Message{At: time.Now().UTC(), By: "mail", To: strings.Join(d.to, ", "), Subject: subject, Text: string(text)})
}
