package main

import (
	"crypto/rand"
	"encoding/json"
	"math/big"
	"net/http"
	"slices"
	"strings"
)

// secretsManager speaks AWS's JSON protocol and has one action.
type secretsManager struct{}

const secretsManagerTarget = "secretsmanager."

func (secretsManager) actions() []string { return []string{"GetRandomPassword"} }

func (s secretsManager) action(r *http.Request) (string, error) {
	name := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), secretsManagerTarget)
	if !slices.Contains(s.actions(), name) {
		return name, badRequest("UnknownOperationException", "awsemu does not have the action %s", name)
	}
	return name, nil
}

func (secretsManager) serve(w http.ResponseWriter, c *call) error {
	wish := passwordWish{PasswordLength: 32, RequireEachIncludedType: true}
	if err := json.NewDecoder(c.Body).Decode(&wish); err != nil {
		return badRequest("SerializationException", "the body is not a request: %v", err)
	}
	password, err := wish.generate()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	return json.NewEncoder(w).Encode(map[string]string{"RandomPassword": password})
}

func (secretsManager) fail(w http.ResponseWriter, _ *call, err *apiError) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(err.Status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": err.Code, "message": err.Message}) // an error means the client is gone
}

// passwordWish is a GetRandomPassword request.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
type passwordWish struct {
	ExcludeCharacters       string
	ExcludeLowercase        bool
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	ExcludeUppercase        bool
	IncludeSpace            bool
	PasswordLength          int
	RequireEachIncludedType bool
}

func (p passwordWish) generate() (string, error) {
	if p.PasswordLength < 1 || p.PasswordLength > 4096 {
		return "", badRequest("InvalidParameterException", "PasswordLength is %d, want 1 to 4096", p.PasswordLength)
	}
	types := p.characterTypes()
	all := strings.Join(types, "")
	if all == "" {
		return "", badRequest("InvalidParameterException", "the exclusions leave no character for the password")
	}
	var password []byte
	if p.RequireEachIncludedType {
		if len(types) > p.PasswordLength {
			return "", badRequest("InvalidParameterException", "PasswordLength %d is less than the %d required character types", p.PasswordLength, len(types))
		}
		for _, characters := range types {
			password = append(password, characters[randomBelow(len(characters))])
		}
	}
	for len(password) < p.PasswordLength {
		password = append(password, all[randomBelow(len(all))])
	}
	// The required characters came first; a shuffle hides which they are.
	for i := len(password) - 1; i > 0; i-- {
		j := randomBelow(i + 1)
		password[i], password[j] = password[j], password[i]
	}
	return string(password), nil
}

// characterTypes returns the included types, each with the characters that may be used of it.
func (p passwordWish) characterTypes() []string {
	types := []string{}
	include := func(excluded bool, characters string) {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(p.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, characters)
		if !excluded && left != "" {
			types = append(types, left)
		}
	}
	include(p.ExcludeLowercase, "abcdefghijklmnopqrstuvwxyz")
	include(p.ExcludeUppercase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	include(p.ExcludeNumbers, "0123456789")
	include(p.ExcludePunctuation, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
	include(!p.IncludeSpace, " ")
	return types
}

func randomBelow(n int) int {
	i, _ := rand.Int(rand.Reader, big.NewInt(int64(n))) // never fails: crypto/rand.Reader ends the process instead
	return int(i.Int64())
}
