package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"
)

// sendWithin bounds one conversation with the mail server.
const sendWithin = 20 * time.Second

// Mail sends by an SMTP server.
type Mail struct {
	server   *url.URL
	from     string
	password func() (string, error)
}

// NewMail takes the server, as smtp://user@host:port or smtps://…, the sender's address, and what reads the password, which is
// asked for each time. A conversation is encrypted unless the server is this machine.
func NewMail(server, from string, password func() (string, error)) (*Mail, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("it is not a mail server such as smtp://user@mail.example.com:587") // it is not repeated: it may hold a password
	}
	if _, set := u.User.Password(); set {
		return nil, errors.New("it holds a password; name a reference to that instead")
	}
	if err := mail.NewMsg().From(from); err != nil {
		return nil, fmt.Errorf("the sender %q is not a mail address: %w", from, err)
	}
	return &Mail{server: u, from: from, password: password}, nil
}

// Letter is one mail. ID is the same each time that it is sent, so that who gets it twice can tell.
type Letter struct {
	ID, Name, Address, Subject, Text string
	At                               time.Time
	Public                           bool // it is for all who read where it is posted: the text is posted as it is
}

// Send hands a letter to the server.
func (m *Mail) Send(ctx context.Context, l Letter) error {
	letter := mail.NewMsg()
	if err := letter.FromFormat("Keyholder", m.from); err != nil {
		return fmt.Errorf("write the sender: %w", err)
	}
	if err := letter.AddToFormat(l.Name, l.Address); err != nil {
		return fmt.Errorf("write the receiver: %w", err)
	}
	letter.Subject(l.Subject)
	letter.SetDateWithValue(l.At)
	letter.SetMessageIDWithValue(l.ID + "@" + m.server.Hostname())
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // nobody's absence answers it
	letter.SetBodyString(mail.TypeTextPlain, l.Text)
	client, err := m.client()
	if err != nil {
		return err
	}
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		return fmt.Errorf("send by %s: %w", m.server.Host, err)
	}
	return nil
}

func (m *Mail) client() (*mail.Client, error) {
	options := []mail.Option{mail.WithTimeout(sendWithin), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithPort(587)}
	if m.server.Scheme == "smtps" {
		options = append(options, mail.WithSSL(), mail.WithPort(465))
	} else if ip := net.ParseIP(m.server.Hostname()); ip != nil && ip.IsLoopback() {
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if text := m.server.Port(); text != "" {
		port, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("the mail server's port %q is not a number", text)
		}
		options = append(options, mail.WithPort(port))
	}
	if user := m.server.User.Username(); user != "" {
		password, err := m.password()
		if err != nil {
			return nil, fmt.Errorf("read the mail server's password: %w", err)
		}
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(user), mail.WithPassword(password))
	}
	client, err := mail.NewClient(m.server.Hostname(), options...)
	if err != nil {
		return nil, fmt.Errorf("prepare the mail client: %w", err)
	}
	return client, nil
}
