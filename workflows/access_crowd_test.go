package workflows

import "testing"

func TestASystemThatHangsNeverTakesAllTheRoomThereIs(t *testing.T) {
	var c crowd
	var leaves []func()
	for leave, _ := c.enter("hangs"); leave != nil; leave, _ = c.enter("hangs") {
		if leaves = append(leaves, leave); len(leaves) >= accessAtOnce {
			t.Fatal("one system has all the room")
		}
	}
	if leave, _ := c.enter("another"); leave == nil {
		t.Error("another system has no room")
	}
	_, soon := c.enter("hangs")
	for range 1000 {
		c.enter("hangs")
	}
	if _, late := c.enter("hangs"); soon < putOff || soon >= 4*putOff || late < 10*soon/4 || late > 2*putOffLongest {
		t.Errorf("the first is put off for %s, the thousandth for %s", soon, late)
	}
	leaves[0]()
	if leave, _ := c.enter("hangs"); leave == nil {
		t.Error("who left makes no room")
	}
	for _, leave := range leaves[1:] {
		leave()
	}
	if len(c.in) != 2 || c.in["hangs"] != 1 {
		t.Errorf("after all left there are %v", c.in)
	}
}
