package app_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
)

func TestMain(m *testing.M) { slow.Main(m) }
