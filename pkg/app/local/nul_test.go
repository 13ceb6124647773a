package local_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestNoU0000 sends U+0000 in text of every kind, by every way to write it: it is refused, and the answer names the
// attribute. Other control characters are taken.
func TestNoU0000(t *testing.T) {
	for _, idp := range []string{"entra", "rfc"} {
		a := on(t, memory(t), idp)
		a.badges(`{"name":"code"},{"name":"tags","multiValued":true}`, false)
		a.devices()
		a.mustAdmin(200, "PATCH", "", `{"settings":{"scim":{"groupMemberships":true}}}`)
		const schemas = `"schemas":["` + userURN + `","` + enterpriseURN + `","` + badgeURN + `"]`
		ann, group := a.user("ann"), a.group("Red", nil)
		for attribute, value := range map[string]string{
			"externalId": `"%s"`, "nickName": `"%s"`, "name": `{"familyName":"%s"}`,
			"emails":       `[{"value":"ann@example.com"},{"value":"x%s","type":"home"}]`,
			"phoneNumbers": `[{"value":"1","type":"%s"}]`,
			enterpriseURN:  `{"department":"%s"}`, badgeURN: `{"code":"%s","tags":["a","%[1]s"]}`,
		} {
			fields := func(c string) string { return fmt.Sprintf(`%q:`+value, attribute, `a\u000`+c+`b`) }
			whole := func(name, c string) string { return `{` + schemas + `,"userName":"` + name + `",` + fields(c) + `}` }
			a.refuse(400, "invalidValue", "POST", "/Users", whole("bob", "0"), "U+0000")
			a.refuse(400, "invalidValue", "PUT", "/Users/"+ann, whole("ann", "0"), "U+0000")
			patch := patchBody(`{"op":"replace","value":{` + fields("0") + `}}`)
			a.refuse(400, "invalidValue", "PATCH", "/Users/"+ann, patch, "U+0000")
			a.must(200, "PUT", "/Users/"+ann, whole("ann", "1"))
		}
		user := func(name string) string { return `{` + schemas + `,"userName":` + name + `}` }
		a.refuse(400, "invalidValue", "POST", "/Users", user(`"\u0000"`), "userName")
		for path, value := range map[string]string{
			"userName": `"a\u0000"`, "emails": `[{"value":"\u0000"}]`, `emails[type eq "work"].value`: `"\u0000"`,
			`emails[type eq "\u0000"].value`: `"c@example.com"`, enterpriseURN + ":manager": `{"value":"\u0000"}`,
			badgeURN + ":tags": `["\u0000"]`, "name.givenName": `"\u0000"`,
		} {
			name, _, _ := strings.Cut(strings.TrimPrefix(path[strings.LastIndex(path, ":")+1:], "name."), "[")
			a.refuse(400, "invalidValue", "PATCH", "/Users/"+ann, added(path, value), name, "U+0000")
		}
		refused := bulkOp{Method: "POST", Path: "/Users", BulkID: "1", Data: object{
			"schemas": []string{userURN}, "userName": "bob", "title": "a\x00b",
		}}
		if got := fmt.Sprint(a.must(200, "POST", "/Bulk", bulkBody(t, 0, refused))); !strings.Contains(got, "U+0000") {
			t.Errorf("bulk: %s", got)
		}
		members := `[{"value":"\u0000"}]`
		a.refuse(400, "invalidValue", "POST", "/Groups", body(groupURN, `"displayName":"\u0000"`), "displayName")
		a.refuse(400, "invalidValue", "POST", "/Groups", body(groupURN, `"displayName":"G","members":`+members), "members")
		a.refuse(400, "invalidValue", "PATCH", "/Groups/"+group, added("members", members), "members")
		a.refuse(400, "invalidValue", "POST", "/GroupMemberships",
			`{"group":{"value":"`+group+`"},"member":{"value":"\u0000"}}`)
		a.refuse(400, "invalidValue", "POST", "/Devices", body(deviceURN, `"serial":"\u0000"`), "serial")
		a.refuse(400, "invalidValue", "POST", "/Devices", body(deviceURN, `"serial":"1","parts":[{"value":"\u0000"}]`),
			"parts.value")
	}
}

// TestNoU0000InAdminAPI sends U+0000 in the bodies of the admin API.
func TestNoU0000InAdminAPI(t *testing.T) {
	a := on(t, memory(t), "generic")
	for _, r := range [][3]string{
		{"PATCH", "", `{"name":"a\u0000"}`},
		{"PUT", "/schemas/" + badgeURN, `{"name":"Badge","attributes":[{"name":"code","description":"\u0000"}]}`},
		{"PUT", "/resource-types/Device", `{"endpoint":"/Devices","schema":"` + deviceURN + `","description":"\u0000"}`},
		{"PUT", "/policy", `{"kinds":{"r\u0000":{}}}`},
		{"PUT", "/policy", `{"description":"\u0000"}`},
		{"POST", "/policy/rehearse", `{"description":"\u0000"}`},
		{"POST", "/accounts", `{"accounts":[{"accountId":"1","userName":"\u0000"}]}`},
		{"POST", "/clients", `{"name":"\u0000"}`},
		{"POST", "/webhooks", `{"url":"https://app.example.com/","types":["*"],"description":"\u0000"}`},
		{"PUT", "/targets/role/x", `{"displayName":"\u0000"}`},
		{"PUT", "/targets/role/%00", ``},
	} {
		if r[1] == "/targets/role/%00" {
			a.mustAdmin(200, "PUT", "/policy", `{"kinds":{"role":{"create":true}}}`)
		}
		a.mustAdmin(400, r[0], r[1], r[2], "U+0000")
	}
}

func added(path, value string) string {
	return patchBody(fmt.Sprintf(`{"op":"add","path":%q,"value":%s}`, path, value))
}
