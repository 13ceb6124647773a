// Package browsertest has only tests, which open the portal in a real browser: Chromium, without a window. Each page is
// checked with axe-core in both languages, and administrators connect five identity providers, whose dialogues are
// replayed. testdata/axe.min.js.gz is axe-core 4.14.1 from npm, MPL-2.0, unchanged.
//
// SCREENSHOTS names a folder that gets an image of each page. Without a Chromium the tests name the skipped checks.
package browsertest
