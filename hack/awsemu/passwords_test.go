package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestPasswordWish_generate(t *testing.T) {
	cases := map[string]struct {
		request string
		want    string // what all passwords match; empty: refused
	}{
		"32 characters of every type but blanks.": {`{}`, `^[!-~]{32}$`},
		"Every type is in it.":                    {`{"PasswordLength":4,"ExcludeCharacters":"#"}`, `^[!-~]*[a-z][!-~]*$`},
		"Letters and digits alone.":               {`{"ExcludePunctuation":true,"PasswordLength":40}`, `^[a-zA-Z0-9]{40}$`},
		"Digits alone.":                           {`{"ExcludePunctuation":true,"ExcludeLowercase":true,"ExcludeUppercase":true,"PasswordLength":6}`, `^[0-9]{6}$`},
		"Without given characters.":               {`{"ExcludeCharacters":"/@\" abcdefghijklmnopqrstuvwxyz","PasswordLength":100}`, `^[!#-.0-?A-Z\[-` + "`" + `{-~]{100}$`},
		"A blank if wished.":                      {`{"IncludeSpace":true,"PasswordLength":5}`, ` `},
		"No type need be in it.":                  {`{"RequireEachIncludedType":false,"PasswordLength":1}`, `^[!-~]$`},
		"Too short for every type.":               {`{"PasswordLength":3}`, ""},
		"Too short.":                              {`{"PasswordLength":0}`, ""},
		"Too long.":                               {`{"PasswordLength":4097}`, ""},
		"Nothing left to draw from.":              {`{"ExcludePunctuation":true,"ExcludeLowercase":true,"ExcludeUppercase":true,"ExcludeNumbers":true}`, ""},
	}
	c := newTestClient(t)
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			for range 20 {
				got := c.do("secretsmanager", "POST", "/", test.request, "X-Amz-Target", "secretsmanager.GetRandomPassword")
				if test.want == "" {
					if got.status != http.StatusBadRequest || !strings.Contains(got.body, "InvalidParameterException") {
						t.Fatalf("got %d %s, want it refused", got.status, got.body)
					}
					continue
				}
				password := decodePassword(t, got.body)
				seen[password] = true
				if !regexp.MustCompile(test.want).MatchString(password) {
					t.Fatalf("got %q, want a match of %s", password, test.want)
				}
			}
			if test.want != "" && len(seen) < 3 {
				t.Errorf("20 calls made %d different passwords", len(seen))
			}
		})
	}
}

func decodePassword(t *testing.T, body string) string {
	t.Helper()
	var decoded struct{ RandomPassword string }
	if err := json.Unmarshal([]byte(body), &decoded); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return decoded.RandomPassword
}
