package notify

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// Services posts to chats, pagers and programs. Where each is found is a secret, which Resolve reads anew each time.
type Services struct {
	Resolve func(reference string) (string, error)
}

// Post hands a letter to the service that a reference leads to. What it says of a failure names the service's host at most.
func (s Services) Post(ctx context.Context, reference string, l Letter) error {
	address, err := s.Resolve(reference)
	if err != nil {
		return fmt.Errorf("find the address: %w", err)
	}
	service, err := shoutrrr.CreateSender(address)
	if err != nil {
		return errors.New("what the reference leads to is no address of a service, such as slack://… or generic://…") // it may hold a secret
	}
	if deadline, ok := ctx.Deadline(); ok {
		service.Timeout = min(service.Timeout, time.Until(deadline))
	}
	sent := service.SendAsync(l.posted(), l.params(address))
	select {
	case err = <-sent:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return errors.New(hide(address, err.Error()))
	}
	return nil
}

// posted is the letter as services take it: a title is not taken by all.
func (l Letter) posted() string {
	if l.Public {
		return l.Text
	}
	return fmt.Sprintf("%s\n\nFor %s. %s", l.Subject, l.Name, l.Text)
}

// params let a program that takes JSON tell what it gets twice; other services take no such thing.
func (l Letter) params(address string) *types.Params {
	if !l.Public || !strings.HasPrefix(address, "generic") {
		return nil
	}
	return &types.Params{"id": l.ID}
}

// words are what a secret may consist of.
var words = regexp.MustCompile(`[A-Za-z0-9_+%=-]{6,}`) //nolint:gochecknoglobals // made once

// hide takes out of a text whatever is part of an address but its host: tokens are.
func hide(address, text string) string {
	kind, rest, _ := strings.Cut(address, "://")
	text = strings.ReplaceAll(text, address, kind+"://…")
	for _, word := range words.FindAllString(rest, -1) {
		text = strings.ReplaceAll(text, word, "…")
	}
	return text
}
