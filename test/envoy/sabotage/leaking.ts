/** A build with four leaks, each into another place: the search must find every one. */
import './finding-text.ts';
import './labelled-header.ts';
import './logged-body.ts';
import './plain-facts.ts';

await import('../../../src/main.ts');
