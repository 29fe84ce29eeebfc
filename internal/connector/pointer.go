package connector

import (
	"errors"
	"strconv"
	"strings"
)

// parsePointer splits a JSON Pointer (RFC 6901) into its unescaped tokens.
func parsePointer(pointer string) ([]string, error) {
	if pointer == "" {
		return nil, nil
	}
	if pointer[0] != '/' {
		return nil, errors.New("must be empty or begin with /")
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, token := range tokens {
		plain, err := unescape(token)
		if err != nil {
			return nil, err
		}
		tokens[i] = plain
	}
	return tokens, nil
}

func unescape(token string) (string, error) {
	for rest := token; ; {
		_, after, found := strings.Cut(rest, "~")
		if !found {
			break
		}
		if after == "" || (after[0] != '0' && after[0] != '1') {
			return "", errors.New("has a ~ that is not followed by 0 or 1")
		}
		rest = after[1:]
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"), nil
}

// lookup walks doc. there says that the pointer leads to something; home, that what would contain it is there. Only with
// a home can the absence of something be told from a document of a different shape.
func lookup(doc any, tokens []string) (found any, there, home bool) {
	at := doc
	for i, token := range tokens {
		var next any
		var ok bool
		switch in := at.(type) {
		case map[string]any:
			next, ok = in[token]
		case []any:
			next, ok = element(in, token)
		default:
			return nil, false, false
		}
		if !ok {
			return nil, false, i == len(tokens)-1
		}
		at = next
	}
	return at, true, true
}

func element(list []any, token string) (any, bool) {
	if token != "0" && (token == "" || token[0] < '1' || token[0] > '9') {
		return nil, false
	}
	i, err := strconv.Atoi(token)
	if err != nil || i >= len(list) {
		return nil, false
	}
	return list[i], true
}

func pointerName(pointer string) string {
	if pointer == "" {
		return "the document"
	}
	return show(pointer)
}
