package main

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// bucket is a bucket's record; its objects are elsewhere.
type bucket struct {
	Name      string
	Region    string
	CreatedAt time.Time
	Config    map[string]document // by sub-resource
}

// document is one configuration of a bucket as it was set.
type document struct {
	Body   string
	Header string `json:",omitempty"` // of the sub-resource's header
}

// s3 answers for buckets and their configuration, path style, and hands what concerns objects to gofakes3.
type s3 struct {
	store   *store
	objects *objects
	now     func() time.Time
}

func newS3(store *store, objects *objects, now func() time.Time) *s3 {
	return &s3{store, objects, now}
}

// bucketActions are the actions about buckets that are more than an entry in the table of sub-resources.
func (s *s3) bucketActions() map[string]func(w http.ResponseWriter, c *call, name string) error {
	return map[string]func(http.ResponseWriter, *call, string) error{
		"CreateBucket":      s.createBucket,
		"DeleteBucket":      s.deleteBucket,
		"GetBucketLocation": s.getBucketLocation,
		"HeadBucket":        s.headBucket,
		"PutBucketAcl":      s.putBucketACL,
	}
}

// objectActions are what gofakes3 does.
func objectActions() []string {
	return []string{
		"AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "DeleteObject", "DeleteObjects", "GetObject",
		"HeadObject", "ListBuckets", "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2", "ListParts", "PutObject", "UploadPart",
	}
}

func (s *s3) actions() []string {
	names := append(objectActions(), slices.Collect(maps.Keys(s.bucketActions()))...)
	for _, sub := range subresources() {
		names = append(names, sub.get, sub.put)
		if sub.remove != "" {
			names = append(names, sub.remove)
		}
	}
	return names
}

// action derives the action from method, path and query, which is all that S3 has.
func (s *s3) action(r *http.Request) (string, error) {
	name, key := splitPath(r)
	query := r.URL.Query()
	var action string
	switch {
	case name == "":
		action = map[string]string{"GET": "ListBuckets"}[r.Method]
	case key != "":
		action = objectAction(r, query)
	default:
		action = bucketAction(r, query)
	}
	if action == "" {
		return "", notImplemented(r)
	}
	return action, nil
}

func notImplemented(r *http.Request) error {
	return &apiError{http.StatusNotImplemented, "NotImplemented", fmt.Sprintf("awsemu does not have %s %s", r.Method, r.URL.RequestURI())}
}

// splitPath returns bucket and key of a path-style request.
func splitPath(r *http.Request) (name, key string) {
	name, key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return name, key
}

func bucketAction(r *http.Request, query url.Values) string {
	for _, sub := range subresources() {
		if query.Has(sub.query) {
			return map[string]string{"GET": sub.get, "PUT": sub.put, "DELETE": sub.remove}[r.Method]
		}
	}
	switch {
	case query.Has("location"):
		return map[string]string{"GET": "GetBucketLocation"}[r.Method]
	case query.Has("versions"):
		return map[string]string{"GET": "ListObjectVersions"}[r.Method]
	case query.Has("uploads"):
		return map[string]string{"GET": "ListMultipartUploads"}[r.Method]
	case query.Has("delete"):
		return map[string]string{"POST": "DeleteObjects"}[r.Method]
	case query.Get("list-type") == "2":
		return map[string]string{"GET": "ListObjectsV2"}[r.Method]
	case onlyKnown(query, "delimiter", "encoding-type", "marker", "max-keys", "prefix"):
		return map[string]string{"DELETE": "DeleteBucket", "GET": "ListObjects", "HEAD": "HeadBucket", "PUT": "CreateBucket"}[r.Method]
	}
	return ""
}

func objectAction(r *http.Request, query url.Values) string {
	switch {
	case query.Has("uploadId"):
		return map[string]string{"DELETE": "AbortMultipartUpload", "GET": "ListParts", "POST": "CompleteMultipartUpload", "PUT": "UploadPart"}[r.Method]
	case query.Has("uploads"):
		return map[string]string{"POST": "CreateMultipartUpload"}[r.Method]
	case !onlyKnown(query, "versionId", "response-content-disposition", "response-content-type"):
		return "" // such as ?tagging: taken for a plain call, it would change the object itself
	case r.Header.Get("X-Amz-Copy-Source") != "":
		return map[string]string{"PUT": "CopyObject"}[r.Method]
	}
	return map[string]string{"DELETE": "DeleteObject", "GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject"}[r.Method]
}

// onlyKnown tells whether the query asks for nothing but the given parameters and what every call may carry.
func onlyKnown(query url.Values, names ...string) bool {
	for name := range query {
		if name != "x-id" && !strings.HasPrefix(name, "X-Amz-") && !slices.Contains(names, name) {
			return false
		}
	}
	return true
}

func (s *s3) serve(w http.ResponseWriter, c *call) error {
	name, _ := splitPath(c.Request)
	if serve, ok := s.bucketActions()[c.action]; ok {
		return serve(w, c, name)
	}
	if slices.Contains(objectActions(), c.action) {
		s.objects.handler.ServeHTTP(w, c.Request)
		return nil
	}
	for _, sub := range subresources() {
		switch c.action {
		case sub.get:
			return s.getConfig(w, name, sub)
		case sub.put:
			return s.putConfig(w, c, name, sub)
		case sub.remove:
			return s.removeConfig(w, name, sub)
		}
	}
	return notImplemented(c.Request)
}

func (s *s3) fail(w http.ResponseWriter, c *call, err *apiError) {
	if c.Method == http.MethodHead {
		w.WriteHeader(err.Status) // a HEAD has no body
		return
	}
	_ = writeXML(w, err.Status, struct { // which can be encoded
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		RequestID string `xml:"RequestId"`
	}{Code: err.Code, Message: err.Message, RequestID: randomHex(16)})
}

func (s *state) bucket(name string) (*bucket, error) {
	if b := s.Buckets[name]; b != nil {
		return b, nil
	}
	return nil, notFound("NoSuchBucket", "The specified bucket does not exist: %s", name)
}

func (s *s3) createBucket(w http.ResponseWriter, c *call, name string) error {
	var wish struct {
		Location string `xml:"LocationConstraint"`
	}
	if err := xml.NewDecoder(c.Body).Decode(&wish); err != nil && !errors.Is(err, io.EOF) {
		return badRequest("MalformedXML", "The XML you provided was not well-formed: %v", err)
	}
	if err := gofakes3.ValidateBucketName(name); err != nil {
		return badRequest("InvalidBucketName", "The specified bucket is not valid: %s", name)
	}
	made := &bucket{Name: name, Region: cmp.Or(wish.Location, c.region), CreatedAt: s.now().UTC(), Config: newBucketConfig()}
	if c.Header.Get("X-Amz-Bucket-Object-Lock-Enabled") == "true" {
		made.Config["object-lock"] = document{Body: `<ObjectLockConfiguration xmlns="` + s3Namespace + `"><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`}
		made.Config["versioning"] = document{Body: `<VersioningConfiguration xmlns="` + s3Namespace + `"><Status>Enabled</Status></VersioningConfiguration>`}
	}
	err := s.store.write(func(st *state) error {
		if st.Buckets[name] != nil {
			return conflict("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
		}
		if err := s.objects.makeBucket(name); err != nil {
			return err
		}
		st.Buckets[name] = made
		return nil
	})
	if err == nil {
		w.Header().Set("Location", "/"+name)
	}
	return err
}

func (s *s3) deleteBucket(w http.ResponseWriter, _ *call, name string) error {
	err := s.store.write(func(st *state) error {
		if _, err := st.bucket(name); err != nil {
			return err
		}
		if err := s.objects.removeBucket(name); err != nil {
			return err
		}
		delete(st.Buckets, name)
		return nil
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (s *s3) headBucket(w http.ResponseWriter, _ *call, name string) error {
	b, err := s.bucket(name)
	if err == nil {
		w.Header().Set("X-Amz-Bucket-Region", b.Region)
	}
	return err
}

func (s *s3) getBucketLocation(w http.ResponseWriter, _ *call, name string) error {
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	region := b.Region
	if region == "us-east-1" {
		region = "" // S3's first region has no name here
	}
	return writeXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Region  string   `xml:",chardata"`
	}{Region: region})
}

// bucket returns a bucket's record as it is now. Its configuration may change, so it is copied.
func (s *s3) bucket(name string) (bucket, error) {
	var found bucket
	err := s.store.read(func(st *state) error {
		b, err := st.bucket(name)
		if err == nil {
			found = *b
			found.Config = maps.Clone(b.Config)
		}
		return err
	})
	return found, err
}

func (s *s3) getConfig(w http.ResponseWriter, name string, sub subresource) error {
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	set, ok := b.Config[sub.query]
	if !ok && sub.noneCode != "" {
		return notFound(sub.noneCode, "The bucket %s has no %s configuration", name, sub.query)
	}
	if sub.header != "" && set.Header != "" {
		w.Header().Set(sub.header, set.Header)
	}
	_, err = io.WriteString(w, cmp.Or(set.Body, sub.none))
	return err
}

func (s *s3) putConfig(w http.ResponseWriter, c *call, name string, sub subresource) error {
	body, err := io.ReadAll(c.Body)
	if err != nil {
		return badRequest("IncompleteBody", "The body cannot be read: %v", err)
	}
	check := checkXML
	if sub.check != nil {
		check = sub.check
	}
	if err := check(body); err != nil {
		return err
	}
	return s.store.write(func(st *state) error {
		b, err := st.bucket(name)
		if err != nil {
			return err
		}
		set := document{Body: string(body)}
		if sub.header != "" {
			set.Header = c.Header.Get(sub.header)
			w.Header().Set(sub.header, set.Header)
		}
		b.Config[sub.query] = set
		return nil
	})
}

// putBucketACL knows the one ACL that a bucket has anyway, and only for buckets that were told to have ACLs.
func (s *s3) putBucketACL(_ http.ResponseWriter, c *call, name string) error {
	if acl := c.Header.Get("X-Amz-Acl"); acl != "private" {
		return &apiError{http.StatusNotImplemented, "NotImplemented", "awsemu has the canned ACL private only"}
	}
	return s.store.read(func(st *state) error {
		b, err := st.bucket(name)
		if err != nil {
			return err
		}
		if strings.Contains(b.Config["ownershipControls"].Body, ">BucketOwnerEnforced<") {
			return badRequest("AccessControlListNotSupported", "The bucket does not allow ACLs")
		}
		return nil
	})
}

func (s *s3) removeConfig(w http.ResponseWriter, name string, sub subresource) error {
	err := s.store.write(func(st *state) error {
		b, err := st.bucket(name)
		if err != nil {
			return err
		}
		delete(b.Config, sub.query)
		return nil
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// tags returns the bucket's tags, which are one of its configurations.
func (b *bucket) tags() tags {
	var set struct {
		Tags []struct {
			Key   string
			Value string
		} `xml:"TagSet>Tag"`
	}
	t := tags{}
	if xml.Unmarshal([]byte(b.Config["tagging"].Body), &set) != nil {
		return t // none set
	}
	for _, tag := range set.Tags {
		t[tag.Key] = tag.Value
	}
	return t
}

func s3Resources(st *state) []resource {
	var list []resource
	for _, name := range slices.Sorted(maps.Keys(st.Buckets)) {
		list = append(list, newResource("s3", "bucket", name, st.Buckets[name].tags()))
	}
	return list
}
