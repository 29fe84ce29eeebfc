package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"keyholder/internal/access"
	"keyholder/internal/canonical"
)

// Kind is what a record describes, as files and addresses call it.
type Kind string

// The kinds.
const (
	KindSettings         Kind = "settings"
	KindSite             Kind = "site"
	KindTier             Kind = "tier"
	KindCapability       Kind = "capability"
	KindSegment          Kind = "segment"
	KindTenant           Kind = "tenant"
	KindOutlet           Kind = "outlet"
	KindThirdParty       Kind = "third-party"
	KindDataSet          Kind = "data-set"
	KindConsistencyGroup Kind = "consistency-group"
	KindService          Kind = "service"
	KindRule             Kind = "degraded-mode-rule"
	KindFlow             Kind = "flow"
	KindSignal           Kind = "signal"
	KindPolicy           Kind = "policy"
	KindAssignment       Kind = "assignment"
	KindDeputy           Kind = "deputy"
	KindStandingOrder    Kind = "standing-order"
	KindChannel          Kind = "channel"
	KindSystem           Kind = "system"
	KindEligibility      Kind = "eligibility"
)

// SettingsSlug is how the one record of settings is referred to.
const SettingsSlug = "settings"

// Kinds lists every kind, what others refer to first.
func Kinds() []Kind {
	kinds := make([]Kind, len(shelves))
	for i, s := range shelves {
		kinds[i] = s.kind()
	}
	return kinds
}

// Known says whether there are records of the kind.
func (k Kind) Known() bool { return shelfOf(k) != nil }

// One names one record of the kind in a sentence: "data set".
func (k Kind) One() string { return strings.ReplaceAll(string(k), "-", " ") }

// Many names the records of the kind: "data sets".
func (k Kind) Many() string {
	one := k.One()
	switch {
	case k == KindSettings:
		return one
	case strings.HasSuffix(one, "y"):
		return strings.TrimSuffix(one, "y") + "ies"
	}
	return one + "s"
}

// EditedBy is the permission that changing a record of the kind takes. Who has which role, and where the world is told, is for
// administrators; who may get access to what, for security too.
func (k Kind) EditedBy() access.Permission {
	switch k { //nolint:exhaustive // the others are for those who describe
	case KindSettings, KindPolicy, KindAssignment, KindDeputy, KindChannel:
		return access.ApplyCatalog
	case KindSystem, KindEligibility:
		return access.EditAccess
	}
	return access.EditCatalog
}

// Ref leads to a record.
type Ref struct {
	Kind Kind   `json:"kind"`
	Slug string `json:"slug"`
}

func (r Ref) String() string { return r.Kind.One() + " " + r.Slug }

// Entry is one record of any kind. Record is a value of the kind's type, Service for one.
type Entry struct {
	Ref
	Name   string
	Record any
}

// shelf is where a catalogue keeps the records of one kind.
type shelf interface {
	kind() Kind
	empty() any             // a record that says nothing
	entry(record any) Entry // a record with what it is called
	decode(read func(into any) error) (any, error)
	each(c *Catalog, yield func(Entry) bool)     // in the order of the slugs
	put(c *Catalog, change map[string]any) error // by slug; nil takes it away
}

//nolint:gochecknoglobals // a table
var shelves = []shelf{
	settingsShelf{},
	shelfFor(KindSite, func(c *Catalog) *[]Site { return &c.Sites }, func(x Site) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindTier, func(c *Catalog) *[]Tier { return &c.Tiers }, func(x Tier) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindCapability, func(c *Catalog) *[]Capability { return &c.Capabilities }, func(x Capability) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindSegment, func(c *Catalog) *[]Segment { return &c.Segments }, func(x Segment) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindTenant, func(c *Catalog) *[]Tenant { return &c.Tenants }, func(x Tenant) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindThirdParty, func(c *Catalog) *[]ThirdParty { return &c.ThirdParties }, func(x ThirdParty) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindDataSet, func(c *Catalog) *[]DataSet { return &c.DataSets }, func(x DataSet) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindConsistencyGroup, func(c *Catalog) *[]ConsistencyGroup { return &c.ConsistencyGroups }, func(x ConsistencyGroup) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindService, func(c *Catalog) *[]Service { return &c.Services }, func(x Service) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindRule, func(c *Catalog) *[]DegradedModeRule { return &c.Rules }, func(x DegradedModeRule) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindFlow, func(c *Catalog) *[]Flow { return &c.Flows }, func(x Flow) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindOutlet, func(c *Catalog) *[]Outlet { return &c.Outlets }, func(x Outlet) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindSignal, func(c *Catalog) *[]Signal { return &c.Signals }, func(x Signal) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindPolicy, func(c *Catalog) *[]Policy { return &c.Policies }, func(x Policy) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindAssignment, func(c *Catalog) *[]Assignment { return &c.Assignments }, func(x Assignment) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindDeputy, func(c *Catalog) *[]Deputy { return &c.Deputies }, func(x Deputy) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindStandingOrder, func(c *Catalog) *[]StandingOrder { return &c.StandingOrders }, func(x StandingOrder) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindChannel, func(c *Catalog) *[]Channel { return &c.Channels }, func(x Channel) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindSystem, func(c *Catalog) *[]System { return &c.Systems }, func(x System) (string, string) { return x.Slug, x.Name }),
	shelfFor(KindEligibility, func(c *Catalog) *[]Eligibility { return &c.Eligibilities }, func(x Eligibility) (string, string) { return x.Slug, x.Name }),
}

func shelfOf(k Kind) shelf {
	for _, s := range shelves {
		if s.kind() == k {
			return s
		}
	}
	return nil
}

// records is the shelf of a kind with many records.
type records[T any] struct {
	of     Kind
	list   func(*Catalog) *[]T
	called func(T) (slug, name string)
}

func shelfFor[T any](k Kind, list func(*Catalog) *[]T, called func(T) (string, string)) shelf {
	return records[T]{k, list, called}
}

func (r records[T]) kind() Kind { return r.of }

func (r records[T]) empty() any { return *new(T) }

func (r records[T]) slug(one T) string {
	slug, _ := r.called(one)
	return slug
}

func (r records[T]) entry(record any) Entry {
	slug, name := r.called(record.(T))
	return Entry{Ref{r.of, slug}, name, record}
}

func (r records[T]) decode(read func(any) error) (any, error) { return decode[T](read) }

func (r records[T]) each(c *Catalog, yield func(Entry) bool) {
	for _, one := range *r.list(c) {
		if !yield(r.entry(one)) {
			return
		}
	}
}

func (r records[T]) put(c *Catalog, change map[string]any) error {
	old := *r.list(c)
	all := make([]T, 0, len(old)+len(change))
	for _, one := range old {
		if _, changed := change[r.slug(one)]; !changed {
			all = append(all, one)
		}
	}
	for slug, record := range change {
		if record == nil {
			continue
		}
		one, ok := record.(T)
		if !ok || r.slug(one) != slug {
			return fmt.Errorf("the record %q is not the %s %q", slug, r.of, slug)
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b T) int { return strings.Compare(r.slug(a), r.slug(b)) })
	*r.list(c) = all
	return nil
}

// settingsShelf holds the one record of settings.
type settingsShelf struct{}

func (settingsShelf) kind() Kind { return KindSettings }

func (settingsShelf) empty() any { return Settings{} }

func (settingsShelf) entry(record any) Entry {
	return Entry{Ref{KindSettings, SettingsSlug}, "Settings", record}
}

func (settingsShelf) decode(read func(any) error) (any, error) { return decode[Settings](read) }

func (s settingsShelf) each(c *Catalog, yield func(Entry) bool) {
	if c.Currency != "" {
		yield(s.entry(c.Settings))
	}
}

func (settingsShelf) put(c *Catalog, change map[string]any) error {
	for _, record := range change {
		settings, ok := record.(Settings)
		if !ok {
			return fmt.Errorf("settings cannot be taken away")
		}
		c.Settings = settings
	}
	return nil
}

func decode[T any](read func(into any) error) (any, error) {
	var record T
	err := read(&record)
	return record, err
}

// DecodeWith lets read fill in a record of a kind.
func DecodeWith(k Kind, read func(into any) error) (Entry, error) {
	s := shelfOf(k)
	if s == nil {
		return Entry{}, unknownKind(k)
	}
	record, err := s.decode(read)
	if err != nil {
		return Entry{}, err
	}
	return s.entry(record), nil
}

// Decode reads a record of a kind from JSON, strictly.
func Decode(k Kind, body []byte) (Entry, error) {
	return DecodeWith(k, func(into any) error {
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		return decoder.Decode(into)
	})
}

// Read reads a record that was kept; what an older or newer program has written besides is left out.
func Read(k Kind, body []byte) (Entry, error) {
	return DecodeWith(k, func(into any) error { return json.Unmarshal(body, into) })
}

// EntryOf is a record with its kind, which is read off its type.
func EntryOf(record any) (Entry, error) {
	for _, s := range shelves {
		if reflect.TypeOf(s.empty()) == reflect.TypeOf(record) {
			return s.entry(record), nil
		}
	}
	return Entry{}, fmt.Errorf("%T is no record of the catalogue", record)
}

// Body is the record in its canonical form.
func (e Entry) Body() ([]byte, error) { return canonical.JSON(e.Record) }
