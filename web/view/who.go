package view

import "net/url"

// Who is the page that answers who may decide what.
type Who struct {
	Page
	Form   []FormField
	Wrong  map[string]string
	At     string
	Asked  bool
	Answer Decides
}

// Decides says who decides on one thing.
type Decides struct {
	About    string   // "Move of Checkout, emergency, site"
	Refused  *Refusal // no policy, or no single one, applies
	Policies []DecidesBy
	Person   string // whom the question names
	May      bool
	Because  []string // the path from the person to the policy
	Refusal  *Refusal // why they may not
	Able     []Able
	More     int
	Wanting  string // what nobody is there to give; empty where it can be approved
}

// DecidesBy is a policy that applies, in words.
type DecidesBy struct{ Path, Name, Words string }

// Able is somebody who may vote, and by what.
type Able struct{ Name, By string }

// WhoPath asks who may decide what.
func WhoPath(question url.Values) string {
	if len(question) == 0 {
		return "/who"
	}
	return "/who?" + question.Encode()
}
