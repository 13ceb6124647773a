package browsertest_test

import (
	"github.com/chromedp/cdproto/runtime"
)

// awaited waits for the promise that a script answers with.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
