package panel

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/site"
)

// These are the page and its style, in the program so that it runs from any folder.
var (
	//go:embed page.html
	pageHTML string
	//go:embed panel.css
	pageCSS []byte
)

func parsePage() (*template.Template, error) {
	page, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("parse the panel's page: %w", err)
	}
	return page, nil
}

// page is what the template draws.
type page struct {
	Message   string
	Still     bool
	At        string
	Success   string
	Level     string // good, bad or none
	Rate      string
	Revenue   string
	Failed    int
	Repeats   int
	Sites     []siteCard
	Parts     []partCard
	Lease     fact
	Promoted  string
	Traffic   fact
	DNS       fact
	LeaseOff  bool
	BuyersOff bool
	Lags      []lagButton
}

// fact is a line about a part, red if it is not as it should be.
type fact struct {
	Text string
	Bad  bool
}

type siteCard struct {
	Slug, Name, Address          string
	State                        string
	Bad                          bool
	Lines                        []line
	Crashed, Partitioned, Frozen bool
}

type line struct{ Name, Value string }

type lagButton struct {
	MS   int64
	Name string
	On   bool
}

func (p *Panel) show(w http.ResponseWriter, r *http.Request) { p.render(w, r, http.StatusOK, "") }

// render refreshes itself by a header, so that the page needs no script; the reader can stop that.
func (p *Panel) render(w http.ResponseWriter, r *http.Request, status int, message string) {
	seen := draw(p.look(r.Context()), p.cfg.Parts)
	seen.Message, seen.Still = message, r.URL.Query().Get("still") != "" || message != ""
	var out bytes.Buffer
	if err := p.page.Execute(&out, seen); err != nil {
		p.cfg.Log.Error("the panel's page was not drawn", "error", err)
		http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	if !seen.Still {
		head.Set("Refresh", "2")
	}
	w.WriteHeader(status)
	_, _ = out.WriteTo(w)
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(pageCSS)
}

func draw(s State, parts map[string]string) page {
	sales := s.Sales
	drawn := page{
		At: s.At.Format("15:04:05") + " UTC", Success: "–", Level: "none", Rate: "–",
		Failed: sales.Failed, Repeats: sales.Duplicates, Revenue: "£" + pounds(sales.RevenueMinor),
		Lease: leaseFact(s), Traffic: trafficFact(s.Traffic), DNS: dnsFact(s.DNS),
		Parts:    partCards(s, parts),
		LeaseOff: s.Breaks.LeaseStopped, BuyersOff: s.Breaks.BuyersStopped,
		Promoted: times(s.Lease.Effects["promotions"], "promoted") + ", traffic " + times(s.Traffic.Effects["weight_changes"], "moved") +
			", record " + times(s.DNS.Effects["dns_changes"], "moved"),
	}
	if sales.SuccessRatio != nil {
		drawn.Success, drawn.Level = fmt.Sprintf("%.0f %%", *sales.SuccessRatio*100), "good"
		if *sales.SuccessRatio < 0.9 {
			drawn.Level = "bad"
		}
	}
	if sales.PerSecond != nil {
		drawn.Rate = fmt.Sprintf("%.1f", *sales.PerSecond)
	}
	for _, slug := range slices.Sorted(maps.Keys(s.Sites)) {
		drawn.Sites = append(drawn.Sites, siteFact(slug, s))
	}
	for _, each := range []lagButton{{MS: 0, Name: "none"}, {MS: 200, Name: "0.2 s"}, {MS: 2000, Name: "2 s"}, {MS: 10000, Name: "10 s"}} {
		each.On = each.MS == s.Breaks.LagMS
		drawn.Lags = append(drawn.Lags, each)
	}
	return drawn
}

func siteFact(slug string, s State) siteCard {
	seen, broken := s.Sites[slug], s.Breaks.Sites[slug]
	card := siteCard{
		Slug: slug, Name: strings.ToUpper(slug[:1]) + slug[1:], Address: seen.Address, State: "does not answer", Bad: true,
		Crashed: broken.Crashed, Partitioned: broken.Partitioned, Frozen: broken.Frozen,
	}
	if seen.Status == nil {
		return card
	}
	now := seen.Status
	card.State, card.Bad = stateWords(now), now.State == site.Fenced
	card.Lines = []line{
		{"Newest order", fmt.Sprintf("%d, epoch %d", now.HeadSeq, now.Epoch)},
		{"Behind the writer", fmt.Sprintf("%d orders, %.1f s", now.LagOrders, now.LagSeconds)},
		{"Accepted since promoted", fmt.Sprint(now.AcceptedInEpoch)},
		{"Waiting to be posted", fmt.Sprint(now.Backlog)},
		{"Set aside", fmt.Sprint(now.SetAside)},
	}
	if sold := s.Sales.BySite[slug]; sold != nil {
		text := fmt.Sprintf("%d attempts, %d orders in 5 s", sold.Attempts, sold.Succeeded)
		card.Lines = append(card.Lines, line{"Customers", text})
	}
	return card
}

func stateWords(now *site.Status) string {
	switch now.State {
	case site.Writer:
		return "writes: it holds the lease"
	case site.Draining:
		return "drains: it takes no new orders"
	case site.Follower:
		return "follows " + now.Following
	case site.Fenced:
		return "fenced: it may not write"
	default:
		return string(now.State)
	}
}

func leaseFact(s State) fact {
	now := s.Lease.Now
	switch {
	case now == nil:
		return fact{Text: "The lease service does not answer.", Bad: true}
	case now.Holder == "" && now.Allowed == "":
		return fact{Text: fmt.Sprintf("Nobody may write (epoch %d).", now.Epoch), Bad: true}
	case now.Holder == "":
		return fact{Text: fmt.Sprintf("%s may write and does not hold the lease (epoch %d).", now.Allowed, now.Epoch), Bad: true}
	}
	text := fmt.Sprintf("%s holds it (epoch %d)", now.Holder, now.Epoch)
	if now.ExpiresAt != nil {
		text += fmt.Sprintf(", for another %.1f s", max(0, now.ExpiresAt.Sub(now.Now).Seconds()))
	}
	expiring := now.Sites[now.Holder].State == lease.Expiring
	if expiring {
		text += ", and may not renew it"
	}
	return fact{Text: text + ".", Bad: expiring}
}

func trafficFact(t TrafficState) fact {
	if t.Error != "" {
		return fact{Text: "The traffic manager does not answer.", Bad: true}
	}
	var parts []string
	for _, slug := range slices.Sorted(maps.Keys(t.Weights)) {
		parts = append(parts, fmt.Sprintf("%s %d", slug, t.Weights[slug]))
	}
	return fact{Text: strings.Join(parts, ", ") + "."}
}

func dnsFact(d DNSState) fact {
	if d.Error != "" {
		return fact{Text: "The name server does not answer.", Bad: true}
	}
	return fact{Text: "Tills are sent to " + strings.Join(d.Records, " and "), Bad: d.Site == ""}
}

func times(n int, what string) string {
	switch n {
	case 0:
		return "never " + what
	case 1:
		return what + " once"
	default:
		return fmt.Sprintf("%s %d times", what, n)
	}
}

func pounds(minor int64) string { return fmt.Sprintf("%d", minor/100) }
