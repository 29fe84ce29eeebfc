package view

import "time"

// Roles is who holds which role, and who signed that.
type Roles struct {
	Page
	AsOf     *AsOf
	Roles    []RoleHeld
	Deputies []string
	Shared   []string // accounts that are one person
	Due      string   // when the next review is
	Reviews  []ReviewLine
	Sign     *SignReview // nil for those who do not review
	Note     string
	Wrong    map[string]string
	Problem  *Refusal
}

// RoleHeld is one role with the assignments that give it.
type RoleHeld struct {
	Title string
	Held  []HeldBy
}

// HeldBy is one assignment; People are those of whom it is known that they hold the role by it.
type HeldBy struct{ Path, Name, To, Scope, People string }

// ReviewLine is one signed review.
type ReviewLine struct {
	By, Due, Note, Digest, Path string
	At                          time.Time
	Version                     int
}

// SignReview is the form of a signature: it names exactly what the page shows.
type SignReview struct{ Act, Digest string }

// RolesPath is the page of who holds which role.
func RolesPath() string { return "/roles" }

// ReviewRolesPath signs it.
func ReviewRolesPath() string { return "/roles/review" }
