package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// secretsManager keeps secrets with their versions. Nothing is encrypted.
type secretsManager struct {
	store *store
	now   func() time.Time
}

// secret is a secret, also one that waits for its deletion.
type secret struct {
	Name        string
	ARN         string
	Description string
	KMSKeyID    string
	Policy      string
	Tags        tags
	Versions    map[string]*secretVersion // by id
	CreatedAt   time.Time
	ChangedAt   time.Time
	DeletedAt   time.Time `json:",omitzero"` // when it was deleted with a recovery window
	GoneAt      time.Time `json:",omitzero"` // the end of that window
}

func newSecretsManager(store *store, now func() time.Time) *jsonService {
	s := secretsManager{store, now}
	return &jsonService{
		version: "1.1",
		target:  "secretsmanager.",
		table: map[string]jsonAction{
			"CreateSecret":             jsonCall(s.create),
			"DeleteResourcePolicy":     jsonCall(s.deletePolicy),
			"DeleteSecret":             jsonCall(s.delete),
			"DescribeSecret":           jsonCall(s.describe),
			"GetRandomPassword":        jsonCall(randomPassword),
			"GetResourcePolicy":        jsonCall(s.getPolicy),
			"GetSecretValue":           jsonCall(s.getValue),
			"ListSecretVersionIds":     jsonCall(s.listVersions),
			"PutResourcePolicy":        jsonCall(s.putPolicy),
			"PutSecretValue":           jsonCall(s.putValue),
			"RestoreSecret":            jsonCall(s.restore),
			"TagResource":              jsonCall(s.tag),
			"UntagResource":            jsonCall(s.untag),
			"UpdateSecret":             jsonCall(s.update),
			"UpdateSecretVersionStage": jsonCall(s.moveStage),
		},
	}
}

// secret finds a secret by name or ARN, also with the six characters at its end left out, as AWS does.
func (s *state) secret(id string, now time.Time) (*secret, error) {
	for _, found := range s.Secrets {
		if id == found.Name || id == found.ARN || id == found.ARN[:len(found.ARN)-7] {
			if found.gone(now) {
				break
			}
			return found, nil
		}
	}
	return nil, badRequest("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

// gone tells whether the recovery window has passed.
func (s *secret) gone(now time.Time) bool { return !s.GoneAt.IsZero() && !now.Before(s.GoneAt) }

// ofSecret are the parameters of actions that need no more than the secret.
type ofSecret struct {
	SecretID string `json:"SecretId"`
}

// secretName is what most answers begin with.
type secretName struct {
	ARN  string
	Name string
}

// change runs fn on a secret that does not wait for its deletion, under the store's lock.
func (s secretsManager) change(id string, fn func(found *secret) error) (secretName, error) {
	var name secretName
	err := s.store.write(func(st *state) error {
		found, err := st.secret(id, s.now())
		if err != nil {
			return err
		}
		if !found.DeletedAt.IsZero() {
			return badRequest("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
		}
		name = secretName{found.ARN, found.Name}
		return fn(found)
	})
	return name, err
}

type createSecretParams struct {
	Name                        string
	Description                 string
	KMSKeyID                    string `json:"KmsKeyId"`
	SecretString                *string
	SecretBinary                []byte
	ClientRequestToken          string
	ForceOverwriteReplicaSecret bool // there are no replicas
	Tags                        []jsonTag
}

func (s secretsManager) create(c *call, p createSecretParams) (versionAnswer, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`).MatchString(p.Name) {
		return versionAnswer{}, badRequest("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	now := s.now().UTC()
	made := &secret{
		Name: p.Name, ARN: "arn:aws:secretsmanager:" + c.region + ":" + account + ":secret:" + p.Name + "-" + randomHex(6), Description: p.Description,
		KMSKeyID: p.KMSKeyID, Tags: jsonTags(p.Tags), Versions: map[string]*secretVersion{}, CreatedAt: now, ChangedAt: now,
	}
	answer := versionAnswer{ARN: made.ARN, Name: made.Name}
	return answer, s.store.write(func(st *state) error {
		switch there := st.Secrets[p.Name]; {
		case there == nil || there.gone(now):
		case !there.DeletedAt.IsZero():
			return badRequest("InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
		default:
			return badRequest("ResourceExistsException", "The operation failed because the secret %s already exists.", p.Name)
		}
		if p.SecretString != nil || p.SecretBinary != nil {
			var err error
			if answer, err = made.put(p.ClientRequestToken, p.SecretString, p.SecretBinary, nil, now); err != nil {
				return err
			}
		}
		st.Secrets[p.Name] = made
		return nil
	})
}

func (s secretsManager) update(_ *call, p struct {
	SecretID           string `json:"SecretId"`
	Description        *string
	KMSKeyID           *string `json:"KmsKeyId"`
	SecretString       *string
	SecretBinary       []byte
	ClientRequestToken string
}) (versionAnswer, error) {
	var answer versionAnswer
	_, err := s.change(p.SecretID, func(found *secret) (err error) {
		answer = versionAnswer{ARN: found.ARN, Name: found.Name}
		if p.SecretString != nil || p.SecretBinary != nil {
			if answer, err = found.put(p.ClientRequestToken, p.SecretString, p.SecretBinary, nil, s.now().UTC()); err != nil {
				return err
			}
		}
		if p.Description != nil {
			found.Description = *p.Description
		}
		if p.KMSKeyID != nil {
			found.KMSKeyID = *p.KMSKeyID
		}
		found.ChangedAt = s.now().UTC()
		return nil
	})
	return answer, err
}

type secretDescription struct {
	secretName
	Description        string `json:",omitempty"`
	KMSKeyID           string `json:"KmsKeyId,omitempty"`
	CreatedDate        float64
	LastChangedDate    float64
	DeletedDate        float64 `json:",omitempty"`
	Tags               []jsonTag
	VersionIDsToStages map[string][]string `json:"VersionIdsToStages,omitempty"`
}

func (s secretsManager) describe(_ *call, p ofSecret) (secretDescription, error) {
	var answer secretDescription
	err := s.store.read(func(st *state) error {
		found, err := st.secret(p.SecretID, s.now())
		if err != nil {
			return err
		}
		answer = secretDescription{
			secretName: secretName{found.ARN, found.Name}, Description: found.Description, KMSKeyID: found.KMSKeyID,
			CreatedDate: jsonTime(found.CreatedAt), LastChangedDate: jsonTime(found.ChangedAt), DeletedDate: jsonTime(found.DeletedAt),
			Tags: jsonTagList(found.Tags), VersionIDsToStages: map[string][]string{},
		}
		for id, version := range found.Versions {
			if len(version.Stages) > 0 {
				answer.VersionIDsToStages[id] = slices.Clone(version.Stages)
			}
		}
		return nil
	})
	return answer, err
}

// jsonTime is a time as the JSON protocol has it; 0 for none.
func jsonTime(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

type deletion struct {
	secretName
	DeletionDate float64
}

func (s secretsManager) delete(_ *call, p struct {
	SecretID                   string `json:"SecretId"`
	RecoveryWindowInDays       *int
	ForceDeleteWithoutRecovery bool
}) (deletion, error) {
	days := orElse(p.RecoveryWindowInDays, 30)
	switch {
	case p.ForceDeleteWithoutRecovery && p.RecoveryWindowInDays != nil:
		return deletion{}, badRequest("InvalidParameterException", "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case days < 7 || days > 30:
		return deletion{}, badRequest("InvalidParameterException", "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	var answer deletion
	err := s.store.write(func(st *state) error {
		found, err := st.secret(p.SecretID, s.now())
		if err != nil {
			return err
		}
		now := s.now().UTC()
		answer = deletion{secretName{found.ARN, found.Name}, jsonTime(now)}
		if p.ForceDeleteWithoutRecovery {
			delete(st.Secrets, found.Name)
			return nil
		}
		found.DeletedAt, found.GoneAt = now, now.AddDate(0, 0, days)
		answer.DeletionDate = jsonTime(found.GoneAt)
		return nil
	})
	return answer, err
}

func (s secretsManager) restore(_ *call, p ofSecret) (secretName, error) {
	var name secretName
	err := s.store.write(func(st *state) error {
		found, err := st.secret(p.SecretID, s.now())
		if err == nil {
			name = secretName{found.ARN, found.Name}
			found.DeletedAt, found.GoneAt = time.Time{}, time.Time{}
		}
		return err
	})
	return name, err
}

type policyAnswer struct {
	secretName
	ResourcePolicy string `json:",omitempty"`
}

func (s secretsManager) getPolicy(_ *call, p ofSecret) (policyAnswer, error) {
	var answer policyAnswer
	err := s.store.read(func(st *state) error {
		found, err := st.secret(p.SecretID, s.now())
		if err == nil {
			answer = policyAnswer{secretName{found.ARN, found.Name}, found.Policy}
		}
		return err
	})
	return answer, err
}

func (s secretsManager) putPolicy(_ *call, p struct {
	SecretID          string `json:"SecretId"`
	ResourcePolicy    string
	BlockPublicPolicy bool // no policy is looked into
}) (secretName, error) {
	return s.change(p.SecretID, func(found *secret) error {
		if !strings.HasPrefix(p.ResourcePolicy, "{") || !json.Valid([]byte(p.ResourcePolicy)) {
			return badRequest("MalformedPolicyDocumentException", "This resource policy contains a syntax error.")
		}
		found.Policy = p.ResourcePolicy
		return nil
	})
}

func (s secretsManager) deletePolicy(_ *call, p ofSecret) (secretName, error) {
	return s.change(p.SecretID, func(found *secret) error {
		found.Policy = ""
		return nil
	})
}

func (s secretsManager) tag(_ *call, p struct {
	SecretID string `json:"SecretId"`
	Tags     []jsonTag
}) (struct{}, error) {
	_, err := s.change(p.SecretID, func(found *secret) error {
		maps.Copy(found.Tags, jsonTags(p.Tags))
		return nil
	})
	return struct{}{}, err
}

func (s secretsManager) untag(_ *call, p struct {
	SecretID string `json:"SecretId"`
	TagKeys  []string
}) (struct{}, error) {
	_, err := s.change(p.SecretID, func(found *secret) error {
		for _, key := range p.TagKeys {
			delete(found.Tags, key)
		}
		return nil
	})
	return struct{}{}, err
}

// secretResources leaves out secrets that wait for their deletion, as AWS's own list does.
func secretResources(st *state) []resource {
	var list []resource
	for _, name := range slices.Sorted(maps.Keys(st.Secrets)) {
		if found := st.Secrets[name]; found.DeletedAt.IsZero() {
			list = append(list, newResource("secretsmanager", "secret", name, maps.Clone(found.Tags)))
		}
	}
	return list
}
