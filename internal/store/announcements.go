package store

import (
	"fmt"
	"strings"

	"keyholder/ent/message"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/degrade"
)

// Public says that a message is posted for all who read a channel, not sent to one person. Its address is the channel.
func (m Message) Public() bool {
	return m.Occasion == approval.Announced || m.Occasion == approval.AllClear
}

// AudienceID is how messages name an audience of a rule.
func AudienceID(slug string) string { return "audience:" + slug }

func (m Message) sentWords(d Delivery) string {
	if m.Public() {
		return fmt.Sprintf("For %s, about %s: it was posted by %s.", m.To.Name, m.About, d.Name)
	}
	return fmt.Sprintf("%s was told about %s by %s.", m.To.Name, m.About, d.Name)
}

// advance saves a mode with what follows from its change: what people outside are told, and that its process looks.
func (t *tx) advance(before, after degrade.Mode) error {
	if err := t.saveMode(after); err != nil {
		return err
	}
	if err := t.announce(before, after); err != nil || after.Next() == before.Next() {
		return err
	}
	return t.nudge(after)
}

// announce keeps what is to be posted now that a mode was read back as on, or as off. Nobody outside hears of a drill.
func (t *tx) announce(before, after degrade.Mode) error {
	if after.Terms.Drill {
		return nil
	}
	if before.On == nil && after.On != nil {
		if err := t.announceOn(after); err != nil {
			return err
		}
	}
	if before.Off == nil && after.Off != nil {
		return t.announceOff(after)
	}
	return nil
}

func (t *tx) announceOn(m degrade.Mode) error {
	for _, a := range m.Terms.Rule.Announced() {
		to := access.Person{ID: AudienceID(a.Slug), Name: a.Name}
		if err := t.keepPublic(m, approval.Announced, to, a.Channel, a.Text); err != nil {
			return err
		}
	}
	return nil
}

// announceOff gives up what was not posted yet, for it is true no more, and keeps the all-clear for each channel where people were told.
// What is being posted meanwhile waits for this update, and looks after it (postedLate).
func (t *tx) announceOff(m degrade.Mode) error {
	n, err := t.Message.Update().Where(message.About(m.Code), message.Occasion(string(approval.Announced)), message.SentAtIsNil(), message.GivenUp(false)).
		SetGivenUp(true).Save(t.ctx)
	if err != nil {
		return fmt.Errorf("give up what was not posted of %s: %w", m.Code, err)
	}
	if n > 0 {
		t.record(audit.Event{Action: "message.given-up", Object: m.Code, Text: fmt.Sprintf("%s is over; what was not posted of it by then (%d) is not posted any more.", m.Code, n)})
	}
	return t.clear(m)
}

// postedLate keeps the all-clear where the post that a mode is on went out while it was switched off.
func (t *tx) postedLate(m Message) error {
	if m.Occasion != approval.Announced {
		return nil
	}
	mode, err := loadMode(t.ctx, t.Client(), m.About)
	if err != nil || mode.Off == nil {
		return err
	}
	return t.clear(mode)
}

// clear keeps the all-clear for each channel on which it was posted that the mode is on, where it is not kept already.
func (t *tx) clear(m degrade.Mode) error {
	text := strings.TrimSpace(m.Terms.Rule.AllClear)
	if text == "" {
		return nil
	}
	posted, err := t.Message.Query().Where(message.About(m.Code), message.Occasion(string(approval.Announced)), message.SentAtNotNil()).
		Order(message.ByCreatedAt(), message.ByID()).All(t.ctx)
	if err != nil {
		return fmt.Errorf("look where %s was announced: %w", m.Code, err)
	}
	told := map[string][]string{}
	var channels []string
	for _, one := range posted {
		if told[one.Address] == nil {
			channels = append(channels, one.Address)
		}
		told[one.Address] = append(told[one.Address], one.PersonName)
	}
	for _, channel := range channels {
		to := access.Person{ID: "channel:" + channel, Name: strings.Join(told[channel], ", ")}
		if err := t.keepPublic(m, approval.AllClear, to, channel, text); err != nil {
			return err
		}
	}
	return nil
}

// keepPublic keeps what is to be posted on a channel, once for each audience and occasion.
func (t *tx) keepPublic(m degrade.Mode, o approval.Occasion, to access.Person, channel, text string) error {
	there, err := t.Message.Query().Where(message.About(m.Code), message.Occasion(string(o)), message.PersonID(to.ID)).Exist(t.ctx)
	if err != nil || there {
		return err
	}
	err = t.Message.Create().SetID(NewID()).SetAbout(m.Code).SetOccasion(string(o)).SetNth(0).SetPersonID(to.ID).SetPersonName(to.Name).
		SetAddress(channel).SetSubject(m.Terms.Rule.Name + " (" + m.Code + "): " + text).SetText(text).SetCreatedAt(t.now).SetNextAt(t.now).Exec(t.ctx)
	if err != nil {
		return fmt.Errorf("keep what is posted about %s: %w", m.Code, err)
	}
	t.record(audit.Event{
		Action: "message." + string(o), Object: m.Code, Text: fmt.Sprintf("For %s, about %s: it is to be posted by the channel %s.", to.Name, m.Code, channel),
		Detail: detail(map[string]any{"channel": channel, "text": text}),
	})
	return nil
}
