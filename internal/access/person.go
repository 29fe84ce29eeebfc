package access

// Person is someone as the record names them: the id stays, the name is as it was then.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Person is the principal as the record names them.
func (p Principal) Person() Person { return Person{p.ID, p.Name} }
