package testkit

import (
	"errors"
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Mailbox is a real SMTP server on this machine that keeps what it is given.
type Mailbox struct {
	Address string // host:port

	mu      sync.Mutex
	letters []Letter
	full    bool
}

// Letter is one mail as it arrived.
type Letter struct {
	To     string
	Header mail.Header
	Text   string
}

// NewMailbox starts a mailbox that ends with the test.
func NewMailbox(t testing.TB) *Mailbox {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Mailbox{Address: listener.Addr().String()}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{box: b}, nil }))
	server.Domain, server.ReadTimeout, server.WriteTimeout = "mailbox.example.com", 5*time.Second, 5*time.Second
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = listener.Close() // the server may not have come to it yet, and would wait for ever
		if err := <-ended; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := server.Close(); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return b
}

// Letters are what has arrived, in that order.
func (b *Mailbox) Letters() []Letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Letter(nil), b.letters...)
}

// Full makes the mailbox refuse, or take again.
func (b *Mailbox) Full(full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full = full
}

// delivery is one conversation.
type delivery struct {
	box *Mailbox
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
		return err
	}
	body := read.Body
	if strings.EqualFold(read.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	if d.box.full {
		return errors.New("the box is full")
	}
	d.box.letters = append(d.box.letters, Letter{strings.Join(d.to, " "), read.Header, string(text)})
	return nil
}
