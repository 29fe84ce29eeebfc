package panel

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/erp"
	"keyholder/demo/shop/flags"
	"keyholder/demo/shop/loyalty"
	"keyholder/demo/shop/outlets"
	"keyholder/demo/shop/site"
	"keyholder/demo/shop/tax"
)

// Needs is what checkout leans on, and the outlets. What does not answer is null and has an entry in Errors.
type Needs struct {
	Flags   *flags.List       `json:"flags"`
	Loyalty *loyalty.Status   `json:"loyalty"`
	Tax     *tax.Status       `json:"tax"`
	ERP     *erp.Status       `json:"erp"`
	Outlets *outlets.List     `json:"outlets"`
	Queues  []site.Queue      `json:"queues"` // of the site that writes
	Errors  map[string]string `json:"errors"`
}

func (p *Panel) lookAtNeeds(ctx context.Context) Needs {
	n := Needs{Errors: map[string]string{}, Queues: []site.Queue{}}
	var all sync.WaitGroup
	var mu sync.Mutex
	ask := func(name, address, path string, v any, keep func()) {
		if address == "" {
			return
		}
		all.Go(func() {
			err := p.get(ctx, address, path, v)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				n.Errors[name] = err.Error()
				return
			}
			keep()
		})
	}
	var (
		list    flags.List
		credits loyalty.Status
		taxes   tax.Status
		posted  erp.Status
		stores  outlets.List
		queues  struct{ Queues []site.Queue }
	)
	at := p.cfg.Parts
	ask(control.PartFlags, at[control.PartFlags], "/flags", &list, func() { n.Flags = &list })
	ask(control.PartLoyalty, at[control.PartLoyalty], "/status", &credits, func() { n.Loyalty = &credits })
	ask(control.PartTax, at[control.PartTax], "/status", &taxes, func() { n.Tax = &taxes })
	ask(control.PartERP, at[control.PartERP], "/status", &posted, func() { n.ERP = &posted })
	ask(control.PartOutlets, at[control.PartOutlets], "/outlets", &stores, func() { n.Outlets = &stores })
	ask("queues", p.cfg.TrafficAdmin, "/queues", &queues, func() { n.Queues = queues.Queues })
	all.Wait()
	return n
}

// partCard is one of control.Parts on the page.
type partCard struct {
	Slug, Name, State string
	Bad               bool
	Broken            string
	Lines             []line
	Levers            []leverButton
}

type leverButton struct {
	What, Label string
	Danger      bool
}

func partCards(s State, at map[string]string) []partCard {
	var cards []partCard
	for _, name := range control.Parts() {
		if at[name] == "" {
			continue
		}
		card := partCard{Slug: name, Name: partName(name), State: "does not answer", Bad: true}
		if _, failed := s.Needs.Errors[name]; !failed {
			card.State, card.Bad, card.Lines = "answers", false, linesOf(name, s)
		} else if s.Breaks.Parts[name].Garbage {
			card.State = "answers nonsense"
		}
		var broken []string
		for _, lever := range control.Levers(name) {
			pulled := lever.Pulled(s.Breaks.Parts[name])
			button := leverButton{What: name + "-" + lever.Break, Label: leverLabel(lever.Break, name), Danger: true}
			if pulled {
				button = leverButton{What: name + "-" + lever.Mend, Label: leverLabel(lever.Mend, name)}
				broken = append(broken, brokenWord(lever.Break))
			}
			card.Levers = append(card.Levers, button)
		}
		card.Broken = strings.Join(broken, ", ")
		cards = append(cards, card)
	}
	return cards
}

func partName(name string) string {
	switch name {
	case control.PartERP:
		return "ERP"
	case control.PartTax:
		return "Tax engine"
	default:
		return strings.ToUpper(name[:1]) + name[1:]
	}
}

func leverLabel(order, part string) string {
	name := map[string]string{
		control.PartFlags: "flags", control.PartLoyalty: "loyalty", control.PartTax: "the tax engine", control.PartERP: "the ERP",
		control.PartOutlets: "the outlets",
	}[part]
	switch order {
	case "stop":
		return "Stop " + name
	case "start":
		return "Start " + name
	case "slow":
		return "Slow it down"
	case "quick":
		return "Let it be quick"
	case "garbage":
		return "Have it answer nonsense"
	case "sense":
		return "Have it answer sense"
	case "lie":
		return "Have it lie"
	case "honest":
		return "Have it be honest"
	case "cut":
		return "Cut " + name + " off"
	default:
		return "Connect " + name
	}
}

func brokenWord(order string) string {
	switch order {
	case "stop":
		return "stopped"
	case "slow":
		return fmt.Sprintf("slow by %s", control.SlowBy)
	case "garbage":
		return "answers nonsense"
	case "lie":
		return "says done and does nothing"
	default:
		return "cut off"
	}
}

func linesOf(name string, s State) []line {
	n := s.Needs
	switch {
	case name == control.PartFlags && n.Flags != nil:
		return flagLines(n.Flags.Flags)
	case name == control.PartLoyalty && n.Loyalty != nil:
		return []line{
			{"Orders credited", fmt.Sprintf("%d, %d points", n.Loyalty.Credited, n.Loyalty.Points)},
			{"Repeats refused", fmt.Sprint(n.Loyalty.Repeats)}, queueLine("Points waiting", "points", n.Queues),
		}
	case name == control.PartTax && n.Tax != nil:
		return []line{
			{"Questions answered", fmt.Sprint(n.Tax.Answered)}, {"Orders recalculated", fmt.Sprint(n.Tax.Recalculated)},
			queueLine("To recalculate", "tax-recalculations", n.Queues),
		}
	case name == control.PartERP && n.ERP != nil:
		return []line{
			{"Orders posted", fmt.Sprintf("%d, £%s", n.ERP.Posted, pounds(n.ERP.MoneyMinor))},
			{"Repeats refused", fmt.Sprint(n.ERP.Repeats)}, queueLine("Postings waiting", "postings", n.Queues),
		}
	case name == control.PartOutlets && n.Outlets != nil:
		return outletLines(n.Outlets.Outlets)
	}
	return nil
}

func flagLines(all []flags.Flag) []line {
	var lines []line
	for _, f := range all {
		state := "off"
		if f.On {
			state = "on for " + f.Scope
		}
		lines = append(lines, line{f.Name, state})
	}
	return lines
}

func queueLine(label, name string, queues []site.Queue) line {
	for _, q := range queues {
		if q.Name != name {
			continue
		}
		text := fmt.Sprint(q.Queued)
		if q.Queued > 0 {
			text += fmt.Sprintf(", oldest %.0f s", q.OldestSeconds)
		}
		if q.Draining {
			text += fmt.Sprintf(", drains at %g/s", q.RatePerSecond)
		}
		return line{label, text}
	}
	return line{label, "–"}
}

func outletLines(all []outlets.Outlet) []line {
	var lines []line
	for _, o := range all {
		text := fmt.Sprintf("online, %d sold", o.Sold)
		if o.OfflineSince != nil {
			text = fmt.Sprintf("offline, %d queued, £%s", o.Queued, pounds(o.MoneyMinor))
		}
		lines = append(lines, line{o.Slug, text})
	}
	return lines
}
