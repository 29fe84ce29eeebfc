package workflows

import "testing"

func TestASystemThatHangsNeverTakesAllTheRoomThereIs(t *testing.T) {
	var c crowd
	var leaves []func()
	for leave, ok := c.enter("hangs"); ok; leave, ok = c.enter("hangs") {
		if leaves = append(leaves, leave); len(leaves) >= accessAtOnce {
			t.Fatal("one system has all the room")
		}
	}
	if _, ok := c.enter("another"); !ok {
		t.Error("another system has no room")
	}
	leaves[0]()
	if _, ok := c.enter("hangs"); !ok {
		t.Error("who left makes no room")
	}
	for _, leave := range leaves[1:] {
		leave()
	}
	if len(c.by) != 2 || c.by["hangs"] != 1 {
		t.Errorf("after all left there are %v", c.by)
	}
}
