package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// keyAccess is the policy that lets a role use the customer managed key, as a role names it.
const keyAccess = "map[Fn::If:[HasKey map[Ref:KeyAccess] map[Ref:AWS::NoValue]]]"

// TestTemplateKey: every resource with stored data is encrypted with the customer managed key if there is one, and each
// role of a function or schedule may use it only through the services that need it.
func TestTemplateKey(t *testing.T) {
	const key = "map[Fn::If:[HasKey map[Ref:KmsKeyArn] map[Ref:AWS::NoValue]]]"
	d, kept := template(t), 0
	for kind, path := range map[string][]string{
		"AWS::DynamoDB::Table":        {"SSESpecification", "KMSMasterKeyId"},
		"AWS::Logs::LogGroup":         {"KmsKeyId"},
		"AWS::SQS::Queue":             {"KmsMasterKeyId"},
		"AWS::SecretsManager::Secret": {"KmsKeyId"},
	} {
		for name, r := range ofType(d, kind) {
			kept++
			if got := fmt.Sprint(at(at(r, "Properties"), path...)); got != key {
				t.Errorf("%s is encrypted with %s", name, got)
			}
		}
	}
	if kept < 10 {
		t.Errorf("%d resources keep data", kept)
	}
	for name, r := range ofType(d, "AWS::IAM::Role") {
		managed, _ := at(r, "Properties", "ManagedPolicyArns").([]any)
		if !slices.ContainsFunc(managed, func(m any) bool { return fmt.Sprint(m) == keyAccess }) {
			t.Errorf("%s may not use the key: %v", name, managed)
		}
	}
	statements, _ := at(d, "Resources", "KeyAccess", "Properties", "PolicyDocument", "Statement").([]any)
	if len(statements) != 1 {
		t.Fatalf("the key's policy has %d statements", len(statements))
	}
	same(t, "actions on the key", strs(at(statements[0], "Action")), []string{
		"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey",
	})
	through, _ := at(statements[0], "Condition", "StringEquals", "kms:ViaService").([]any)
	if len(through) != 3 || fmt.Sprint(at(statements[0], "Resource")) != "map[Ref:KmsKeyArn]" {
		t.Errorf("the key is used through %v on %v", through, at(statements[0], "Resource"))
	}
}

// TestTemplateRunbook: the runbook has an entry for each alarm and no other, and each alarm names its own.
func TestTemplateRunbook(t *testing.T) {
	runbook, err := os.ReadFile(filepath.Join(top, "docs/operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(runbook), "| alarm | means | do |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var entries, alarms []string
	for _, m := range regexp.MustCompile(`(?m)^\| (\w+) \|`).FindAllStringSubmatch(table, -1) {
		entries = append(entries, m[1])
	}
	for name, alarm := range ofType(template(t), "AWS::CloudWatch::Alarm") {
		name = strings.TrimSuffix(name, "Alarm")
		alarms = append(alarms, name)
		description, _ := at(alarm, "Properties", "AlarmDescription").(string)
		if !strings.HasSuffix(description, " Runbook - docs/operations.md, alarm "+name+".") {
			t.Errorf("%s does not name its entry: %s", name, description)
		}
	}
	same(t, "alarms", alarms, entries)
}
