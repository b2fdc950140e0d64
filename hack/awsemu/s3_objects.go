package main

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3bolt"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// objects are the contents of the buckets, kept by gofakes3 in a file of its own.
type objects struct {
	*s3bolt.Backend
	db      *bbolt.DB
	handler http.Handler
}

func openObjects(dir string) (*objects, error) {
	path := filepath.Join(dir, "objects.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, NoSync: true}) // an end of the process loses nothing
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, &setupError{fmt.Sprintf("another awsemu uses the data directory %s: stop it, or name another with --data", dir)}
	}
	if err != nil {
		return nil, fmt.Errorf("opening the objects' file %s: %w", path, err)
	}
	o := &objects{Backend: s3bolt.New(db), db: db}
	o.handler = gofakes3.New(o, gofakes3.WithTimeSkewLimit(0)).Server()
	return o, nil
}

func (o *objects) close() error { return o.db.Close() }

// makeBucket and removeBucket keep the bucket of the contents in step with its record in the state. One may be ahead of
// the other when a process was killed, so a bucket that is already as wanted is no error.
func (o *objects) makeBucket(name string) error {
	if err := o.CreateBucket(name); !gofakes3.HasErrorCode(err, gofakes3.ErrBucketAlreadyExists) {
		return err
	}
	return nil
}

func (o *objects) removeBucket(name string) error {
	err := o.DeleteBucket(name)
	switch {
	case gofakes3.HasErrorCode(err, gofakes3.ErrBucketNotEmpty):
		return &apiError{http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty"}
	case gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchBucket):
		return nil
	}
	return err
}

// The rest makes gofakes3 list and delete "versions", of which every object has one, called null, as in a bucket that
// was never versioned. The provider empties buckets by their versions, versioned or not. Older contents are not kept.

func (o *objects) ListBucketVersions(bucket string, prefix *gofakes3.Prefix, page *gofakes3.ListBucketVersionsPage) (*gofakes3.ListBucketVersionsResult, error) {
	plain := gofakes3.ListBucketPage{}
	if page != nil {
		plain = gofakes3.ListBucketPage{Marker: page.KeyMarker, HasMarker: page.HasKeyMarker, MaxKeys: page.MaxKeys}
	}
	list, err := o.ListBucket(bucket, prefix, plain)
	if err != nil {
		return nil, err
	}
	versions := gofakes3.NewListBucketVersionsResult(bucket, prefix, page)
	versions.CommonPrefixes = list.CommonPrefixes
	if versions.IsTruncated = list.IsTruncated; list.IsTruncated {
		versions.NextKeyMarker, versions.NextVersionIDMarker = list.NextMarker, "null"
	}
	for _, object := range list.Contents {
		versions.Versions = append(versions.Versions, &gofakes3.Version{
			Key: object.Key, IsLatest: true, LastModified: object.LastModified, Size: object.Size, ETag: object.ETag, StorageClass: gofakes3.StorageStandard,
		})
	}
	return versions, nil
}

func (o *objects) DeleteMultiVersions(bucket string, ids ...gofakes3.ObjectID) (gofakes3.MultiDeleteResult, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = id.Key
	}
	return o.DeleteMulti(bucket, keys...)
}

// gofakes3 takes the version null for no version, so these are asked for versions that cannot exist.

func (o *objects) GetObjectVersion(string, string, gofakes3.VersionID, *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	return nil, gofakes3.ErrNoSuchVersion
}

func (o *objects) HeadObjectVersion(string, string, gofakes3.VersionID) (*gofakes3.Object, error) {
	return nil, gofakes3.ErrNoSuchVersion
}

func (o *objects) DeleteObjectVersion(string, string, gofakes3.VersionID) (gofakes3.ObjectDeleteResult, error) {
	return gofakes3.ObjectDeleteResult{}, nil
}

// The versioning of a bucket is one of its configurations, which gofakes3 is never asked for.

func (o *objects) VersioningConfiguration(string) (gofakes3.VersioningConfiguration, error) {
	return gofakes3.VersioningConfiguration{}, gofakes3.ErrNotImplemented
}

func (o *objects) SetVersioningConfiguration(string, gofakes3.VersioningConfiguration) error {
	return gofakes3.ErrNotImplemented
}
