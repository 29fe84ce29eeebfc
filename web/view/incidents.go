package view

import (
	"time"

	"keyholder/internal/failover"
)

// IncidentLine is one incident in a list.
type IncidentLine struct {
	Code     string
	Path     string
	Title    string
	Cause    string
	Services string
	Impact   time.Time
	Closed   time.Time // zero while it is open
}

// Incidents lists incidents.
type Incidents struct {
	Page
	Open    []IncidentLine
	Closed  []IncidentLine
	MayOpen bool
	Next    string // path of older ones; empty where there are none
}

// IncidentForm is what a person types to open an incident. Every field is text until it was checked.
type IncidentForm struct {
	Act      string   `form:"act"`
	Title    string   `form:"title" query:"title"`
	Cause    string   `form:"cause" query:"cause"`
	Impact   string   `form:"impact"` // 2006-01-02 15:04:05, UTC
	Services []string `form:"services" query:"services"`
}

// NewIncident is the form that opens an incident.
type NewIncident struct {
	Page
	Form     IncidentForm
	Wrong    map[string]string
	Causes   []Choice
	Services []Choice
	Source   string         // where the prefilled start of impact comes from
	Already  []IncidentLine // that are open for some of the services
}

// Choice is one of several things to choose.
type Choice struct {
	Value  string
	Label  string
	Hint   string
	Chosen bool
}

// Incident is one incident with what was done about it.
type Incident struct {
	Page
	Line      IncidentLine
	Source    string // of the start of impact
	Commander string
	Opened    time.Time
	Cost      string // of what stops: a minute, and while it is open so far
	Requests  []RequestLine
	Runs      []RunLine
	Degraded  Degraded
	Access    []AccessLine
	AskAccess string // path of the form; empty where the incident is closed
	Recover   string // path of the start form; empty where this person may not
	CloseAct  string // act id of the close form; empty where there is no button
	CantClose string // why there is none, to those who could
	Moving    string // why no failover is offered, or why it would not help
	Problem   *Refusal
}

// RequestLine is one request in a list.
type RequestLine struct {
	Code      string
	Path      string
	Title     string
	State     failover.State
	Requester string
	Filed     time.Time
}
