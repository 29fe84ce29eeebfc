package control_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"keyholder/demo/shop/control"
)

// street has leeds behind its guard; inside is closed on when a request has come in, and answers wait for goOn.
func street(t *testing.T, network *control.Network) (url string, inside, goOn chan struct{}) {
	inside, goOn = make(chan struct{}, 1), make(chan struct{}, 1)
	server := httptest.NewServer(network.Guard("leeds", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside <- struct{}{}
		select {
		case <-goOn:
		case <-r.Context().Done():
		}
		control.WriteJSON(w, http.StatusOK, "hello")
	})))
	t.Cleanup(server.Close)
	return server.URL, inside, goOn
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func TestPartitionWorksInBothDirectionsAndHeals(t *testing.T) {
	network := control.NewNetwork()
	url, inside, goOn := street(t, network)
	goOn <- struct{}{}
	if err := get(t.Context(), network.Client("dublin"), url); err != nil {
		t.Fatalf("nobody is cut off, yet: %v", err)
	}
	<-inside
	network.Cut("leeds")
	if err := get(t.Context(), http.DefaultClient, url); err == nil {
		t.Error("leeds answered while it was cut off")
	}
	if err := get(t.Context(), network.Client("leeds"), url); !errors.Is(err, control.ErrCutOff) {
		t.Errorf("leeds called while it was cut off: %v", err)
	}
	network.Heal("leeds")
	goOn <- struct{}{}
	if err := get(t.Context(), network.Client("leeds"), url); err != nil {
		t.Errorf("after the heal: %v", err)
	}
}

func TestPartitionBreaksCallsUnderWay(t *testing.T) {
	for _, cut := range []string{"leeds", "dublin"} {
		network := control.NewNetwork()
		url, inside, _ := street(t, network)
		failed := make(chan error, 1)
		go func() { failed <- get(t.Context(), network.Client("dublin"), url) }()
		<-inside
		network.Cut(cut)
		if err := <-failed; err == nil {
			t.Errorf("%s was cut off and the answer came through", cut)
		}
	}
}

func TestPortInUseNamesThePartAndTheAddress(t *testing.T) {
	var listen net.ListenConfig
	taken, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	address := taken.Addr().String()
	err = control.Serve(t.Context(), "lease service", address, http.NotFoundHandler(), nil)
	if err == nil || !contains(err.Error(), "lease service") || !contains(err.Error(), address) {
		t.Errorf("got %v", err)
	}
}
