package breakglass

import "time"

// Clock says what time counts for access: never earlier than any time that was ever kept, and never standing still. A machine's clock that
// is set back lengthens nothing; one that was ahead, and was kept so, goes on from there, so that what begins then lasts as long as it
// should. Its zero value is ready.
type Clock struct {
	ahead time.Duration // of the machine's clock
	last  time.Time     // what the machine said when it was last asked, with its monotonic reading where it has one
}

// Now is the time that counts when the machine's clock says this and that was kept.
func (c *Clock) Now(machine, kept time.Time) time.Time {
	if !c.last.IsZero() {
		jumped := machine.Round(0).Sub(c.last.Round(0)) - machine.Sub(c.last)
		c.ahead = max(0, c.ahead-jumped)
	}
	c.last = machine
	machine = machine.Round(0)
	c.ahead = max(c.ahead, kept.Sub(machine))
	return machine.Add(c.ahead)
}
