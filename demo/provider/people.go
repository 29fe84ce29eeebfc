package provider

import "strings"

// Person is someone the demo can be used as.
type Person struct {
	Username string
	Name     string
	Title    string // the job title, by which people are listed
	Groups   []string
}

// Subject is the person's stable identity at this issuer.
func (p Person) Subject() string { return subjectPrefix + p.Username }

// Email is an address that goes nowhere.
func (p Person) Email() string { return p.Username + "@retailer.example" }

const subjectPrefix = "demo-"

// People are everyone who can sign in, in the order of the sign-in page.
func People() []Person {
	return []Person{
		{"ines", "Ines Calder", "Incident commander", []string{"incident-commanders"}},
		{"carl", "Carl Whitmore", "Incident commander, second on call", []string{"incident-commanders"}},
		{"bea", "Bea Lindqvist", "Business owner, Checkout", []string{"business-owners"}},
		{"hugo", "Hugo Adeyemi", "Business owner, Orders", []string{"business-owners"}},
		{"pavel", "Pavel Novak", "Platform engineer", []string{"platform-engineers"}},
		{"rosa", "Rosa Jimenez", "Responder", []string{"responders"}},
		{"sven", "Sven Aldersen", "Security officer", []string{"security-officers"}},
		{"ada", "Ada Mensah", "Auditor", []string{"auditors"}},
		{"otto", "Otto Brandt", "Administrator", []string{"administrators"}},
		{"olga", "Olga Marin", "Administrator, second", []string{"administrators"}},
		{"nina", "Nina Patel", "No role at all", []string{}},
	}
}

func personBySubject(subject string) (Person, bool) {
	username, ok := strings.CutPrefix(subject, subjectPrefix)
	if !ok {
		return Person{}, false
	}
	return personByUsername(username)
}

func personByUsername(username string) (Person, bool) {
	for _, p := range People() {
		if p.Username == username {
			return p, true
		}
	}
	return Person{}, false
}
