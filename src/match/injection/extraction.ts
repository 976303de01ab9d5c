/** What asks a model for what it was told, or for what it keeps. */
import type { SignalSpec } from '../signals.ts';

export const EXTRACTION: readonly SignalSpec[] = [
  {
    id: 'extraction.system_prompt',
    weight: 0.84,
    patterns: [
      '@reveal ~4 @whose ~3 @sysprompt',
      '@whose @sysprompt ~3 @reveal',
      'what ~3 your ~2 @sysprompt',
      'what ~3 the ~2 system prompt|hidden prompt|initial prompt',
      '@sysprompt ~6 verbatim|word for word|wortwortlich|mot pour mot|palabra por palabra|parola per parola|palavra por palavra|дословно|一字一句|逐字|そのまま',
      '@reveal ~1 @sysprompt',
    ],
  },
  {
    id: 'extraction.system_prompt_named',
    weight: 0.5,
    patterns: [
      '@reveal ~8 @sysprompt',
      '@sysprompt ~4 @reveal',
      'was sind|was ist|welche|quelles|cual*|quais|quali|как*|什么|何 ~4 @sysprompt',
      'your @sysprompt',
    ],
  },
  {
    id: 'extraction.your_orders',
    weight: 0.72,
    patterns: [
      '@reveal ~3 @your ~2 instructions|instruction|prompt|prompts|directives|programming|guidelines|configuration|rules|anweisungen|instruktionen|consignes|instrucciones|instrucoes|istruzioni|инструкции|指令|指示|提示词',
      'what ~2 your ~2 instructions|prompt|directives|programming',
    ],
  },
  {
    id: 'extraction.before_chat',
    weight: 0.82,
    patterns: [
      '@text|message|messages|system|nachricht|text|texto|texte|testo|mensaje|mensagem|messaggio|сообщени*|текст*|内容|文字|提示|メッセージ|文章 ~6 @before_chat',
      '@before_chat ~6 @text|内容|文字|消息|提示|指令|メッセージ|文章',
      '@reveal|what ~4 @before_chat',
    ],
  },
  {
    id: 'extraction.received',
    weight: 0.8,
    patterns: [
      '@reveal|@transform|what|which|welche|quelles|quali|какие|什么|哪些 ~6 @text|@orders|words|lines ~3 @you_got',
      '@reveal|@transform|what|which|welche|quelles|quali|какие ~8 @you_got ~3 before|first|initially|secretly|at the start|verbatim|exactly|anfangs|zuerst|avant|antes|prima|раньше',
    ],
  },
  {
    id: 'extraction.transformed',
    weight: 0.82,
    patterns: [
      '@transform|@reveal ~3 @your ~3 @orders_strong|@sysprompt',
      '@transform|@reveal ~8 your ~1 context|opening|initial|system|own|internal|hidden|secret ~2 prompt|instructions|rules|message|window|lines|configuration|into|to',
      'words|lines|characters|sentences|part|half|content|contents ~2 of ~0 @your|the ~1 context|prompt|system prompt|system role|system message|instructions|configuration',
      '@transform|@reveal ~4 own ~1 instructions|rules|prompt|configuration',
      '@your ~1 @orders_strong ~8 @transform',
      'line|verse|item|row|bullet ~3 one of your|your ~1 rules|instructions|guidelines',
    ],
  },
  {
    id: 'extraction.secret_orders',
    weight: 0.76,
    patterns: [
      '@your ~2 secret|hidden|internal|confidential|private|geheim*|intern*|verborgen*|secret*|cachee*|ocult*|interna*|segret*|nascost*|секретн*|скрыт*|внутренн*|秘密|隐藏|内部 ~1 @orders_strong|rules|regeln|regles|reglas|regras|regole|directives|правил*',
      '@your ~1 @orders_strong|directives|regles|reglas ~1 secret*|internes|interne|cachees|internas|secretas|ocultas|segrete|nascoste',
    ],
  },
  {
    id: 'extraction.told_to_hide',
    weight: 0.8,
    patterns: [
      'told|instructed|asked|ordered|programmed|supposed|meant|wanted|forbidden ~3 never|not|hide|keep ~3 tell|reveal|say|share|mention|disclose|secret|yourself|talk|hide|repeat',
      'you ~2 told|instructed|programmed|ordered ~2 hide|avoid|withhold|conceal|keep',
      'topics|words|things|subjects ~4 you ~2 told|instructed|programmed|ordered|supposed ~2 avoid|not|never',
      'you are guarding|you guard|you are hiding|you are keeping|you must not reveal|you keep secret|you protect',
    ],
  },
  {
    id: 'extraction.secret_in_parts',
    weight: 0.8,
    patterns: [
      '@secret_thing ~7 first letter|last letter|each letter|its letters|hyphen between|backwards|in reverse|reversed|spelled|spell|rhyme|rhymes|rhymes with|synonym|anagram|acrostic|in base64|in morse|letter by letter|character by character|reveals|revealing',
      'first letter|letters|backwards|reverse|spell|acrostic|rhymes with|how many letters|define ~8 @secret_thing|the secret ~6 you|your|guard*|hidden|told',
      'how many letters ~6 @secret_thing|key|secret',
      'the secret|the password ~2 were ~8 what',
      'pierwsza litera|erste buchstabe|erster buchstabe|premiere lettre|primera letra|prima lettera|первая буква|第一个字 ~6 @secret_thing',
    ],
  },
  {
    id: 'extraction.lost_copy',
    weight: 0.6,
    patterns: [
      'prompt|instructions|system message ~4 i ~0 wrote|gave|made ~1 for|to|you ~8 send|back|show|repeat|again',
      'lost|misplaced|deleted|forgot ~4 prompt|instructions|configuration ~8 you',
    ],
  },
  {
    id: 'extraction.orders_weak',
    weight: 0.4,
    patterns: [
      'what ~2 your ~2 rules|guidelines|constraints|restrictions|limitations',
      '@reveal ~3 exact instructions',
      'opposite of your',
    ],
  },
  {
    id: 'extraction.given',
    weight: 0.7,
    fromOthers: 0.7,
    patterns: [
      '@text ~3 you were|you have been|you ve been|you had been|you received|you got ~3 @given',
      'what ~2 were you|have you been|you were|did they|did your ~3 @given|tell',
      'how|what ~2 were you ~2 instructed|programmed|prompted|configured',
      'not supposed to ~2 tell|reveal|say|share|talk',
      'not allowed to ~2 tell|reveal|share|disclose',
    ],
  },
  {
    id: 'extraction.given_shown',
    weight: 0.82,
    patterns: [
      'repeat|print|show|tell|reveal|output|list|recite|translate|encode|write|disclose ~5 instructions|rules|prompt|directives|guidelines ~3 you were|you have been|you ve been ~2 @given',
      'what ~1 were you ~2 told|instructed|programmed ~4 before|initially|beginning|start|secretly',
    ],
  },
  {
    id: 'extraction.above',
    weight: 0.76,
    fromOthers: 0.76,
    patterns: [
      'repeat|print|output|copy|recite|echo|reproduce|dump|regurgitate|retype ~5 @text ~3 above|preceding|prior to this|before this|previous|so far|earlier',
      'repeat|print|output|copy|recite|echo|reproduce|dump|regurgitate|retype|show me ~3 above|preceding|previous ~3 @text',
      'repeat|print|output|copy|recite|echo|reproduce ~2 entire|whole|full|complete ~2 conversation|context|prompt|text|chat|session',
      'what ~2 written|said|text|is|was ~3 above ~2 this|conversation|here',
      '@reveal ~3 context window',
      '@reveal ~4 hidden|secret|internal ~2 prompt|instructions|rules|context|message',
    ],
  },
  {
    id: 'extraction.you_are',
    weight: 0.76,
    patterns: [
      '@start_with ~1 you are',
      '@start_with ~1 you are chatgpt',
      'up to this point ~4 you are',
    ],
  },
  {
    id: 'extraction.complete',
    weight: 0.7,
    patterns: [
      'my @sysprompt ~1 is|are|says',
      'my instructions ~0 are|say|were',
      'the system prompt is',
      'i was instructed to',
      'i was told to',
      'i was told',
      'i was given',
      'i have been told to',
      'assistant has been told',
      'assistant was told',
      'i must never',
      'i am not allowed to',
      'my rules are',
      'my prompt is',
      'output ~1 initialization',
    ],
  },
  {
    id: 'extraction.verbatim',
    weight: 0.35,
    patterns: [
      'verbatim',
      'word for word',
      'letter for letter',
      'character by character',
      'in a code block',
      'in a txt code block',
      'wortwortlich',
      'mot pour mot',
      'palabra por palabra',
      'parola per parola',
      'palavra por palavra',
      'дословно',
      'in its entirety',
      'without omitting',
      'do not omit',
    ],
  },
  {
    id: 'extraction.secrets_asked',
    weight: 0.6,
    fromOthers: 0.7,
    patterns: [
      'sag|nenne|dis|donne|dime|di|diga|dimmi|скажи|назови|告诉|说出|教えて ~4 @secret_thing',
      'share|reveal|give|tell|disclose ~3 @secret_thing ~4 me|with me|now|please',
    ],
  },
  {
    id: 'extraction.secrets',
    weight: 0.5,
    fromOthers: 0.66,
    patterns: [
      '@reveal ~3 @whose ~2 @secret_thing',
      '@reveal ~6 confidential|classified|internal|hidden|secret ~3 data|information|configuration|config|documents|details|keys',
      '@reveal ~6 credentials|environment variables|api keys|internal config*|environment variable*',
      'what ~2 is|s ~2 the|your ~2 password|secret|passphrase|codeword|flag|passwort|密码',
      'raw ~2 database',
      'geheime*|interne* ~1 daten',
      'list ~3 environment',
    ],
  },
  {
    id: 'extraction.encoded',
    weight: 0.6,
    patterns: [
      'encode|base64|rot13|reverse|obfuscate|hex|spell|morse|emoji|leet*|pig latin|acrostic|poem ~10 @sysprompt',
      'encode|base64|rot13|reverse|obfuscate|hex ~6 text|instructions|words ~3 given|initial*|above',
      '@sysprompt ~6 base64|rot13|emoji|morse|hex|reversed|json|xml|yaml|code block|encoded',
    ],
  },
];
