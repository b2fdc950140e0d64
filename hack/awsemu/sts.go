package main

// newSTS is the Security Token Service: it tells every caller that it is the account's root user.
func newSTS() *queryService {
	type identity struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}
	return &queryService{
		namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		table: map[string]queryAction{
			"GetCallerIdentity": func(*call) (any, error) {
				return identity{"arn:aws:iam::" + account + ":root", account, account}, nil
			},
		},
	}
}
