/**
 * What has no place in a tool's result or a document: words to the model that reads it. From a user most of it is
 * ordinary, so that the weights differ widely.
 */
import type { SignalSpec } from '../signals.ts';

export const THIRD_PARTY: readonly SignalSpec[] = [
  {
    id: 'address.model',
    weight: 0.5,
    fromOthers: 0.78,
    patterns: [
      'note|notice|attention|important|instruction*|message|hint|warning|reminder|directive*|hinweis|nota|avis|aviso ~3 to|for|fur|an|para|per|pour|a|all ~3 @model',
      'for|dear|hey|hello|attention|any|all ~1 @model ~6 @must',
      '@model ~3 @reading',
      'if you are|if you re ~3 @model',
      'as an ai ~3 @reading|you',
      '@model ~1 : ~2 @must',
      '@model should|must ~2 @must',
    ],
  },
  {
    id: 'address.when_reading',
    weight: 0.12,
    fromOthers: 0.5,
    patterns: [
      'when|if|before|after|once|while|whenever|upon|as ~1 you ~3 process|summarize|summarise|read|reading|answer|respond|reply|review|parse|analyze|see|finish|complete|receive|display|return|handle|continue|generate|translate|can|proceed',
      'when|before|after|while ~2 responding|summarizing|summarising|processing|replying|answering|reading|reviewing|continuing|proceeding',
    ],
  },
  {
    id: 'address.reply',
    weight: 0.3,
    fromOthers: 0.7,
    patterns: [
      '@put ~12 end|beginning|start|top|bottom|ende|fin|final|fine|anfang ~3 @whose|each|every|jeder|toute|cualquier|ogni ~3 @reply',
      '@put ~10 in|to|with|into|at ~2 your|every|each|all|any|future ~4 @reply',
      '@whose|each|every|jeder|toute|cualquier|ogni ~2 @reply ~6 @put',
      'end|ende|fin|final|fine ~3 jeder|toute|cualquier|ogni|every|each|your ~2 @reply',
      'must be|should be|muss|doit etre|debe|deve ~4 included|appended|added|mentioned|@put',
    ],
  },
  {
    id: 'address.before_reply',
    weight: 0.15,
    fromOthers: 0.5,
    patterns: [
      'before|prior to ~2 responding|answering|replying|proceeding|summarizing|continuing|completing|you reply|you respond|you answer|you continue|you can|you summarize|solving|you solve|giving',
      'first ~2 call|run|execute|empty|delete|send|fetch',
    ],
  },
  {
    id: 'address.secrecy',
    weight: 0.45,
    fromOthers: 0.8,
    patterns: [
      'do not|don t|never|without|not|must not|nicht|ne|no|non|не|不要 ~2 tell|inform|mention|notify|alert|reveal|disclose|show|telling|informing|mentioning|notifying|alerting|warn|let|say|acknowledge|refer|告诉 ~5 user|users|the user|customer|human|anyone|person|them|this to|benutzer|utilisateur|usuario|utente|用户',
      'keep this ~2 secret|hidden|confidential|between us',
      'silently|secretly|covertly|discreetly ~6 @send|call|append|include|run|execute|add',
    ],
  },
  {
    id: 'address.tag',
    weight: 0.4,
    fromOthers: 0.75,
    patterns: [
      '<important>',
      '<important',
      '<information>',
      '<instructions>',
      '<secret>',
      '<hidden>',
      'important ! ! !',
      'important !!!',
      'important message from me',
    ],
  },
  {
    id: 'address.required',
    weight: 0.1,
    fromOthers: 0.35,
    patterns: [
      'required for|needed for|necessary for|used for ~2 logging|tracking|verification|compliance|archival|auditing|authentication|processing',
      'so that ~2 record|support|team',
      'so the record',
      'so support can',
      'for tracking',
      'to complete archival',
      'to confirm you',
      'to close this ticket',
      'to file this',
      'for record keeping',
    ],
  },
  {
    id: 'address.memory',
    weight: 0.25,
    fromOthers: 0.65,
    patterns: [
      'save|store|remember|persist|commit|write|add|keep ~8 memory|future|persists|persist|across sessions|across turns',
      'every|all ~1 future ~3 @reply|tasks|conversations|turns|requests|sessions',
      'long term memory',
      'on the next user message',
      'note to self',
    ],
  },
  {
    id: 'address.task',
    weight: 0.6,
    fromOthers: 0.8,
    patterns: [
      '@your ~1 real|actual|true|original|primary|main|current|new|first task|job|goal|purpose|objective|mission ~2 is|now|:|instead',
      'task ~3 i gave you',
      'before you can solve',
      'instead of ~3 your|the user s|the|summarizing|answering ~2 task|question|request|document|text',
      'forget ~3 task',
      'hereby instructed',
      'you are instructed',
      'you have been instructed',
      'you must ~2 comply|obey|execute|follow',
      'do the following first',
      'following instruction*',
      'real task',
    ],
  },
  {
    id: 'exfiltration.send',
    weight: 0.5,
    fromOthers: 0.7,
    patterns: [
      '@send ~8 @data ~10 @address',
      '@send ~8 @data ~8 @evil',
      '@send ~6 @evil',
      '@send ~10 @ ~2 @evil',
      '@send ~4 it|them|this|everything|envoie|les|las|all ~6 @evil|@',
      '@data ~8 @send ~8 @evil',
    ],
  },
  {
    id: 'exfiltration.data',
    weight: 0.2,
    fromOthers: 0.5,
    patterns: [
      '@send ~6 @data',
      'collect|gather|rassemble|recopila|raccogli|sammle|fetch|extract|harvest|retrieve|find ~6 @data',
      '@send ~4 summary|result|results|output|copy|content ~8 @address',
    ],
  },
  { id: 'exfiltration.address', weight: 0.1, fromOthers: 0.3, patterns: ['@send ~10 @address'] },
  {
    id: 'exfiltration.link',
    weight: 0.35,
    fromOthers: 0.6,
    patterns: [
      'image|link|url ~8 @append_to ~8 @data',
      'render|display|embed|include|insert ~4 image|link|markdown ~10 http|https|url',
    ],
  },
  {
    id: 'exfiltration.image',
    weight: 0.05,
    fromOthers: 0.2,
    patterns: ['![ ~12 ]( http', '![ ~12 ]( https', 'markdown image'],
  },
  {
    id: 'tool.call',
    weight: 0.3,
    fromOthers: 0.7,
    patterns: [
      'call|invoke|use|execute|run|trigger ~2 @tool_name',
      'call|invoke|use|execute|trigger ~2 tool|function ~6 @send|delete|transfer|to',
      'delete|remove|empty|wipe|erase|drop|overwrite ~5 database|directory|files|file|backups|folder|table|logs|account*|records',
      'transfer|send|wire|pay ~4 money|funds|usd|eur|btc|bitcoin|dollars|payment ~8 to',
    ],
  },
];
