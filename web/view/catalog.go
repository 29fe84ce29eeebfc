package view

import (
	"net/url"
	"strconv"
	"time"

	"keyholder/internal/catalog"
)

// The ends of names of what a row holds besides its fields: the box that takes it out, and where it stands.
const (
	RemoveRow = "remove"
	RowPlace  = "place"
)

// FormField is one field of a record's form.
type FormField struct {
	Name     string
	Label    string
	Hint     string
	Form     catalog.Form
	Value    string
	Chosen   bool
	Fixed    bool // it never changes
	Optional bool
	Choices  []Choice
	Fields   []FormField // of a group
	Rows     []FormRow   // of a list of rows
	Ordered  bool        // a row has a number that says where it stands
}

// FormRow is one row of a list; its title says what it holds, and is empty where it holds nothing.
type FormRow struct {
	Title  string
	Fields []FormField
}

// Open says that a row is shown with its fields: it is new, or something in it is wrong.
func (r FormRow) Open(wrong map[string]string) bool {
	if r.Title == "" {
		return true
	}
	for _, f := range r.Fields {
		if wrong[f.Name] != "" {
			return true
		}
	}
	return false
}

// RecordForm is the form of a record of the catalogue.
type RecordForm struct {
	Page
	Kind      catalog.Kind
	New       bool
	Action    string
	Back      string
	Base      int // the version that what is edited stands since; 0 where it is new
	Why       string
	Fields    []FormField
	Wrong     map[string]string
	Elsewhere []string // what is wrong, and has no field here
	Problem   *Refusal
	Meanwhile []string // what somebody else has changed since the form was opened
	Managed   bool     // files say what it is, and say it again when they are applied
	Second    string   // that a change takes a second person
}

// CatalogHome is what the catalogue holds.
type CatalogHome struct {
	Page
	Kinds   []KindLine
	Changes []CatalogChange
	AsOf    *AsOf
}

// KindLine is one kind of record with how many there are.
type KindLine struct {
	Path, Name string
	Count      int
}

// AsOf says that a page shows the catalogue as it was.
type AsOf struct {
	On      string // as the address says it
	At      time.Time
	Version int
	Now     string // the page as it is
}

// CatalogChange is one change of the catalogue.
type CatalogChange struct {
	Version  int
	Path     string
	By       string
	At       time.Time
	Why      string
	Source   string
	Records  int
	Changed  []RecordChange
	Truncate bool   // there are more records than are shown
	Request  string // the change request by which it came about
	TakeBack string // path of what takes it back
}

// RecordChange is what a change did to one record.
type RecordChange struct {
	Path, Kind, Name string
	KindKey, Slug    string // as addresses call them
	Verb             string // added, changed, retired
	Lines            []string
	By               string
	At               time.Time
	Why              string
	Version          int
}

// RecordList is the records of one kind.
type RecordList struct {
	Page
	Kind    catalog.Kind
	Title   string
	Filter  ListFilter
	Lines   []RecordLine
	Total   int
	Next    string
	MayEdit bool
	AsOf    *AsOf
}

// ListFilter chooses records of a kind; it stands in the address.
type ListFilter struct {
	Text  string // in the name or the short name
	After string // the short name that the page begins behind
	On    string // the date that it is as of
}

func (f ListFilter) query() string {
	q := url.Values{}
	for name, value := range map[string]string{"text": f.Text, "after": f.After, "on": f.On} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// RecordLine is one record in a list.
type RecordLine struct {
	Path, Name, Slug string
	Notes            []string
}

// Record is one record of the catalogue.
type Record struct {
	Page
	Kind      catalog.Kind
	Slug      string
	Name      string
	Facts     []Fact
	Referred  []Link // where others refer to it
	More      int    // of those, that are not shown
	Impact    string // the page of what stops without it
	Around    Picture
	Findings  []FindingLine
	Report    *OutletReport // of an outlet
	Start     string        // switches on a degraded-mode rule
	Preview   *Preview      // of a degraded-mode rule
	Degraded  Degraded      // by a rule, or on what it is
	Order     *Order        // of a standing order
	Orders    []OrderLine   // that may move a service
	History   []RecordChange
	MayEdit   bool
	MayRetire bool
	Managed   bool
	Locked    bool
	Retired   bool
	Base      int
	AsOf      *AsOf
	Problem   *Refusal
	Why       string // typed for a retirement that was refused
	Wrong     map[string]string
}

// OutletReport is the last that an outlet said of itself; Queued is empty where it never said anything.
type OutletReport struct {
	Queued             string
	SynchronisedAt, At time.Time
}

// Fact is one thing that a record says.
type Fact struct {
	Label string
	Lines []FactText
}

// FactText is a line of it, which may lead somewhere.
type FactText struct{ Text, Path string }

// CatalogPath is what the catalogue holds.
func CatalogPath() string { return "/catalog" }

// KindPath lists the records of a kind.
func KindPath(k catalog.Kind, f ListFilter) string {
	return "/catalog/" + url.PathEscape(string(k)) + f.query()
}

// NewRecordPath is the form of a new record.
func NewRecordPath(k catalog.Kind) string { return "/catalog/" + url.PathEscape(string(k)) + "/new" }

// RecordPath is one record.
func RecordPath(r catalog.Ref) string {
	return "/catalog/" + url.PathEscape(string(r.Kind)) + "/" + url.PathEscape(r.Slug)
}

// RecordOnPath is one record as it was on a date.
func RecordOnPath(r catalog.Ref, on string) string {
	if on == "" {
		return RecordPath(r)
	}
	return RecordPath(r) + "?on=" + url.QueryEscape(on)
}

// EditRecordPath is the form of a record, and takes it.
func EditRecordPath(r catalog.Ref) string { return RecordPath(r) + "/edit" }

// RetireRecordPath retires a record.
func RetireRecordPath(r catalog.Ref) string { return RecordPath(r) + "/retire" }

// CatalogChangesPath lists the changes of the catalogue, from before a version on.
func CatalogChangesPath(before int) string {
	if before == 0 {
		return "/catalog-changes"
	}
	return "/catalog-changes?before=" + strconv.Itoa(before)
}

// CatalogChangePath is one change of the catalogue.
func CatalogChangePath(version int) string { return "/catalog-changes/" + strconv.Itoa(version) }
