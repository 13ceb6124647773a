package scimhttp

import (
	"net/http"
	"strconv"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// smaller tells a client how to ask for less.
const smaller = "Ask for less with excludedAttributes=members or with the attributes parameter."

// listAnswer is a ListResponse (RFC 7644, section 3.4.2). It ends before the resource that would make it too large; itemsPerPage says how
// many it holds, and the client goes on behind them.
func listAnswer(l directory.List, sel *schema.Projection) (answer, error) {
	const room = 512 // for what stands around the resources
	var (
		resources []byte
		count     int
		wire      = room
	)
	for _, res := range l.Resources {
		end := len(resources)
		if count > 0 {
			resources = append(resources, ',')
		}
		resources = scim.AppendJSON(resources, res.Type.Project(res.Doc, sel))
		wire += wireSize(resources[end:])
		if len(resources)+room > maxAnswer || wire > maxWire {
			resources = resources[:end]
			break
		}
		count++
	}
	if count == 0 && len(l.Resources) > 0 {
		return answer{}, scim.BadRequest(scim.TooMany, "The first result is too large for one answer. %s", smaller)
	}
	body := make([]byte, 0, len(resources)+room)
	body = append(body, `{"schemas":["`+scim.ListResponseURN+`"],"totalResults":`...)
	body = strconv.AppendInt(body, int64(l.Total), 10)
	body = append(body, `,"startIndex":`...)
	body = strconv.AppendInt(body, int64(l.StartIndex), 10)
	body = append(body, `,"itemsPerPage":`...)
	body = strconv.AppendInt(body, int64(count), 10)
	body = append(body, `,"Resources":[`...)
	body = append(body, resources...)
	return newAnswer(http.StatusOK, append(body, "]}"...)), nil
}
