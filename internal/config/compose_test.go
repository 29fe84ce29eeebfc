package config_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"keyholder/internal/config"
)

// compose is what the test reads of docker-compose.yml.
type compose struct {
	Services map[string]struct {
		Image       string            `yaml:"image"`
		Command     []string          `yaml:"command"`
		Environment map[string]string `yaml:"environment"`
		Secrets     []string          `yaml:"secrets"`
	} `yaml:"services"`
	Secrets map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
}

func readCompose(t *testing.T) (string, compose) {
	t.Helper()
	body, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	return string(body), c
}

func TestComposePinsVersionsAndHoldsNoSecret(t *testing.T) {
	text, c := readCompose(t)
	for _, want := range []string{"postgres", "temporal", "migrate", "portal", "worker"} {
		if _, ok := c.Services[want]; !ok {
			t.Errorf("there is no service %s", want)
		}
	}
	for name, s := range c.Services {
		tag := s.Image[strings.LastIndex(s.Image, ":")+1:]
		if !regexp.MustCompile(`^(local|\d+\.\d+(\.\d+)?.*)$`).MatchString(tag) {
			t.Errorf("%s: the image %s is not pinned", name, s.Image)
		}
	}
	for _, line := range regexp.MustCompile(`(?m)(PASSWORD|PWD|SECRET): (.*)$`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(line[2], "${") && !strings.HasPrefix(line[2], "file:") {
			t.Errorf("a secret stands in the file: %s", line[0])
		}
	}
	for name, secret := range c.Secrets {
		if _, err := os.Stat("../../" + secret.File); err == nil {
			t.Errorf("the secret %s is in the repository", name)
		}
	}
}

func TestComposeSetsOnlySettingsThatExist(t *testing.T) {
	_, c := readCompose(t)
	known := map[string]bool{}
	of := reflect.TypeFor[config.Config]()
	for i := range of.NumField() {
		known["KEYHOLDER_"+strings.ToUpper(of.Field(i).Tag.Get("koanf"))] = true
	}
	for name, s := range c.Services {
		for variable, value := range s.Environment {
			if strings.HasPrefix(variable, "KEYHOLDER_") && !known[variable] {
				t.Errorf("%s sets %s, which is no setting", name, variable)
			}
			if strings.Contains(value, "${") && !strings.Contains(value, ":?") {
				t.Errorf("%s: %s is empty where its variable is missing", name, variable)
			}
		}
	}
}
