package connector

import (
	"testing"
	"time"
)

func TestPointFindsWhatIsThereAndSaysWhatIsNot(t *testing.T) {
	seen := Observation{Source: "a site", At: time.Now(), Body: []byte(`{"a":{"b":[1,2.50]},"n":null}`)}
	got, err := Point(seen, "/a/b/1")
	if err != nil || string(got) != "2.50" {
		t.Fatalf("got %s, %v", got, err)
	}
	for _, pointer := range []string{"/a/c", "/n", "/a/b/7", "a"} {
		if got, err := Point(seen, pointer); err == nil {
			t.Errorf("%s: got %s, wanted an error", pointer, got)
		}
	}
	if _, err := Point(Observation{Error: "away"}, ""); err == nil {
		t.Error("a failed observation has nothing anywhere")
	}
}
