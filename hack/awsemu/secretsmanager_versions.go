package main

import (
	"bytes"
	"maps"
	"slices"
	"time"
)

// secretVersion is one value of a secret. The stages are labels, each of which one version has; AWSCURRENT is the value that
// counts, AWSPREVIOUS the one before.
type secretVersion struct {
	String    *string `json:",omitempty"`
	Binary    []byte  `json:",omitempty"`
	Stages    []string
	CreatedAt time.Time
}

const (
	currentStage  = "AWSCURRENT"
	previousStage = "AWSPREVIOUS"
)

// versionAnswer is what is said of a version that was made.
type versionAnswer struct {
	ARN           string
	Name          string
	VersionID     string   `json:"VersionId,omitempty"`
	VersionStages []string `json:",omitempty"`
}

// put adds a version. The same call again, which its token tells, changes nothing.
func (s *secret) put(token string, text *string, binary []byte, stages []string, now time.Time) (versionAnswer, error) {
	if (text == nil) == (binary == nil) {
		return versionAnswer{}, badRequest("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
	}
	if text != nil && len(*text) > 65536 || len(binary) > 65536 {
		return versionAnswer{}, badRequest("ValidationException", "The secret value must be at most 65536 bytes long.")
	}
	if token == "" {
		token = newUUID()
	}
	if len(stages) == 0 {
		stages = []string{currentStage}
	}
	answer := versionAnswer{s.ARN, s.Name, token, stages}
	if there := s.Versions[token]; there != nil {
		if !equal(there.String, text) || !bytes.Equal(there.Binary, binary) {
			return answer, badRequest("ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, s.ARN)
		}
		return answer, nil
	}
	if len(s.Versions) == 0 && !slices.Contains(stages, currentStage) {
		stages = append(slices.Clone(stages), currentStage) // the first one counts
		answer.VersionStages = stages
	}
	s.Versions[token] = &secretVersion{String: text, Binary: binary, CreatedAt: now}
	for _, stage := range stages {
		s.move(stage, token)
	}
	s.ChangedAt = now
	return answer, nil
}

func equal(a, b *string) bool { return a == b || (a != nil && b != nil && *a == *b) }

// move gives a stage to a version, none for an empty id. The version that was the current one becomes the previous one.
func (s *secret) move(stage, id string) {
	from := s.holder(stage)
	if from == id {
		return
	}
	if from != "" {
		version := s.Versions[from]
		version.Stages = slices.DeleteFunc(version.Stages, func(other string) bool { return other == stage })
	}
	if id != "" {
		s.Versions[id].Stages = append(s.Versions[id].Stages, stage)
	}
	if stage == currentStage && from != "" {
		s.move(previousStage, from)
	}
}

// holder returns the id of the version that has the stage, empty when none has.
func (s *secret) holder(stage string) string {
	for id, version := range s.Versions {
		if slices.Contains(version.Stages, stage) {
			return id
		}
	}
	return ""
}

func (s secretsManager) putValue(_ *call, p struct {
	SecretID           string `json:"SecretId"`
	SecretString       *string
	SecretBinary       []byte
	VersionStages      []string
	ClientRequestToken string
}) (versionAnswer, error) {
	var answer versionAnswer
	_, err := s.change(p.SecretID, func(found *secret) (err error) {
		answer, err = found.put(p.ClientRequestToken, p.SecretString, p.SecretBinary, p.VersionStages, s.now().UTC())
		return err
	})
	return answer, err
}

type secretValue struct {
	versionAnswer
	SecretString *string `json:",omitempty"`
	SecretBinary []byte  `json:",omitempty"`
	CreatedDate  float64
}

func (s secretsManager) getValue(_ *call, p struct {
	SecretID     string `json:"SecretId"`
	VersionID    string `json:"VersionId"`
	VersionStage string
}) (secretValue, error) {
	var answer secretValue
	err := s.store.read(func(st *state) error {
		found, err := st.secret(p.SecretID, s.now())
		if err != nil {
			return err
		}
		if !found.DeletedAt.IsZero() {
			return badRequest("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
		}
		id := p.VersionID
		if stage := p.VersionStage; id == "" {
			if stage == "" {
				stage = currentStage
			}
			id = found.holder(stage)
		}
		version := found.Versions[id]
		if version == nil || p.VersionStage != "" && !slices.Contains(version.Stages, p.VersionStage) {
			return badRequest("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", id)
		}
		answer = secretValue{
			versionAnswer{found.ARN, found.Name, id, slices.Clone(version.Stages)}, version.String, version.Binary, jsonTime(version.CreatedAt),
		}
		return nil
	})
	return answer, err
}

func (s secretsManager) moveStage(_ *call, p struct {
	SecretID            string `json:"SecretId"`
	VersionStage        string
	MoveToVersionID     string `json:"MoveToVersionId"`
	RemoveFromVersionID string `json:"RemoveFromVersionId"`
}) (secretName, error) {
	return s.change(p.SecretID, func(found *secret) error {
		from := found.holder(p.VersionStage)
		switch {
		case p.MoveToVersionID != "" && found.Versions[p.MoveToVersionID] == nil:
			return badRequest("ResourceNotFoundException", "Secrets Manager can't find the specified secret version: %s.", p.MoveToVersionID)
		case from != p.RemoveFromVersionID && (from != p.MoveToVersionID || p.RemoveFromVersionID != ""):
			return badRequest("InvalidParameterException", "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s.", p.VersionStage, from)
		case p.VersionStage == currentStage && p.MoveToVersionID == "":
			return badRequest("InvalidParameterException", "You can't remove staging label AWSCURRENT; move it to another version.")
		}
		found.move(p.VersionStage, p.MoveToVersionID)
		return nil
	})
}

type versionList struct {
	secretName
	Versions []listedVersion
}

type listedVersion struct {
	VersionID     string `json:"VersionId"`
	VersionStages []string
	CreatedDate   float64
}

func (s secretsManager) listVersions(_ *call, p struct {
	SecretID          string `json:"SecretId"`
	IncludeDeprecated bool
	MaxResults        int // a page; all are on the first
}) (versionList, error) {
	var answer versionList
	err := s.store.read(func(st *state) error {
		found, err := st.secret(p.SecretID, s.now())
		if err != nil {
			return err
		}
		answer.secretName = secretName{found.ARN, found.Name}
		for _, id := range slices.Sorted(maps.Keys(found.Versions)) {
			if version := found.Versions[id]; p.IncludeDeprecated || len(version.Stages) > 0 {
				answer.Versions = append(answer.Versions, listedVersion{id, slices.Clone(version.Stages), jsonTime(version.CreatedAt)})
			}
		}
		return nil
	})
	return answer, err
}
