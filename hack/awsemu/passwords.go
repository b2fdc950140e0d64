package main

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// passwordWish is a GetRandomPassword request.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
type passwordWish struct {
	ExcludeCharacters       string
	ExcludeLowercase        bool
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	ExcludeUppercase        bool
	IncludeSpace            bool
	PasswordLength          *int  // 32 when not given
	RequireEachIncludedType *bool // true when not given
}

func randomPassword(_ *call, p passwordWish) (map[string]string, error) {
	password, err := p.generate()
	return map[string]string{"RandomPassword": password}, err
}

func (p passwordWish) generate() (string, error) {
	length := orElse(p.PasswordLength, 32)
	if length < 1 || length > 4096 {
		return "", badRequest("InvalidParameterException", "PasswordLength is %d, want 1 to 4096", length)
	}
	types := p.characterTypes()
	all := strings.Join(types, "")
	if all == "" {
		return "", badRequest("InvalidParameterException", "the exclusions leave no character for the password")
	}
	var password []byte
	if p.RequireEachIncludedType == nil || *p.RequireEachIncludedType {
		if len(types) > length {
			return "", badRequest("InvalidParameterException", "PasswordLength %d is less than the %d required character types", length, len(types))
		}
		for _, characters := range types {
			password = append(password, characters[randomBelow(len(characters))])
		}
	}
	for len(password) < length {
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
