package web

import (
	"context"
	"strings"
	"time"

	"keyholder/internal/catalog"
	"keyholder/internal/change"
)

const (
	pastLooked = 200                 // of each sort
	pastSince  = 91 * 24 * time.Hour // a quarter
	pastShown  = 40                  // that would not have been approved
)

// past says which approvals of the last quarter would not have been ones, and what cannot be told any more. What changes nothing in
// who decides has no past.
func (s *Server) past(ctx context.Context, before, after catalog.Catalog) ([]string, error) {
	past, more, err := s.store.PastSince(ctx, s.store.Now().Add(-pastSince).Truncate(24*time.Hour), pastLooked)
	if err != nil || len(past) == 0 {
		return nil, err
	}
	held, err := change.HeldAgainst(before, after, past)
	if err != nil || held.Apart == len(past) {
		return nil, err
	}
	lines := heldLines(held)
	if more {
		lines = append(lines, "Only the newest of that time were looked at: "+counted(pastLooked, "decision", "decisions")+" of each sort.")
	}
	return lines, nil
}

func heldLines(h change.Held) []string {
	var lines []string
	for _, one := range h.Short[:min(len(h.Short), pastShown)] {
		if one.Why != "" {
			lines = append(lines, one.Code+" would have been refused: "+one.Why)
			continue
		}
		for _, want := range one.Want {
			words := wantedWords(append(one.Want[:0:0], want))
			lines = append(lines, one.Code+" would have wanted "+words+" besides ("+want.Policy+").")
		}
	}
	if rest := len(h.Short) - pastShown; rest > 0 {
		lines = append(lines, "And so would "+counted(rest, "other", "others")+".")
	}
	if h.Same > 0 {
		lines = append(lines, counted(h.Same, "approval", "approvals")+" that it decides on would have been given as before.")
	}
	if h.Apart > 0 {
		lines = append(lines, counted(h.Apart, "other approval is", "other approvals are")+" decided on as before.")
	}
	return append(lines, untold(h)...)
}

// untold is what nobody can tell any more.
func untold(h change.Held) []string {
	var lines []string
	say := func(codes []string, text string) {
		if len(codes) > 0 {
			lines = append(lines, strings.Join(firstFew(codes), ", ")+": "+text)
		}
	}
	say(h.Gone, "about something that the catalogue does not have any more, or would not have, so nobody can tell.")
	say(h.Guessed, "where everybody's role held then is not known any more. It was counted by what is assigned now; what is not assigned any more, as held everywhere.")
	say(h.SignIns, "it would have taken a younger sign-in, and how old people's was is not kept.")
	return lines
}
