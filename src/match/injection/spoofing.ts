/** What looks like the end of one text and the beginning of another that has more to say; and what is disguised. */
import type { SignalSpec } from '../signals.ts';

export const SPOOFING: readonly SignalSpec[] = [
  {
    id: 'spoofing.chat_tokens',
    weight: 0.8,
    fromOthers: 0.92,
    patterns: ['<|im_start|>', '<|im_end|>', '<|system|>', '<|user|>', '<|assistant|>', '<|endoftext|>', '<|begin_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>', '<start_of_turn>', '<end_of_turn>', '[/INST]', '[INST]', '<<SYS>>', '<</SYS>>', '<|channel|>', '<|message|>', '<|end|>', '<|endofprompt|>'],
  },
  {
    id: 'spoofing.role_tag',
    weight: 0.5,
    fromOthers: 0.8,
    patterns: ['<system>', '</system>', '[system]', '[/system]', '<system_prompt>', '</user>', '</user_input>', '</instructions>', '</document>', '</context>', '</data>', '</prompt>', '<admin>', '[admin]', '<developer>', '[developer]', '{{system}}', '[[system]]', '<thinking>', '# system', '[system_message]', '[system note]', '[system update]', '[assistant]', '[user]', '# new instruction*', '# instruction*', '# end of ~0 user|input|document|prompt|context|instructions|data|conversation|system'],
  },
  {
    id: 'spoofing.role_line',
    weight: 0.5,
    fromOthers: 0.75,
    patterns: ['\n system :', '\n assistant :', '\n admin :', '\n developer :', '\n human :', '\n ai :', 'system : ~4 you|the|ignore|new|override|user|grant|cleanup|call|all|this', 'assistant : ~0 sure|of course|ok|yes|here is|here s', 'role : system'],
  },
  { id: 'spoofing.end', weight: 0.55, fromOthers: 0.8, patterns: ['end of user input', 'end user input', 'end of system prompt', 'end of prompt', 'end of context', 'end of instructions', 'end of untrusted', 'end of document ~3 system|new|instruction*|[', 'begin system', 'start of system', 'begin new instructions', 'end of data', 'end of input', '= end of ~0 user|input|document|prompt|context|instructions|data|conversation|system'] },
  {
    id: 'spoofing.authority',
    weight: 0.55,
    fromOthers: 0.8,
    patterns: ['system note', 'system notice', 'system alert', 'system override', 'system command', 'important system', 'system update :', 'systemhinweis', 'note systeme', 'nota del sistema', 'nota di sistema', 'nota do sistema', 'системное примечание', '系统提示 :', '系统通知', 'システム通知', 'admin note', 'developer note', 'processing note', 'administrator override', 'admin override', 'developer override', 'override code', 'override :', 'breach alert', 'security override', 'root access', 'sudo ~2 @ignore|su|mode'],
  },
  { id: 'spoofing.granted', weight: 0.5, patterns: ['granted ~3 permission|access|authorization|admin', 'grant ~4 admin|all requests|access|permissions', 'user ~2 is ~2 admin|administrator|authorized|authorised', 'clearly authorized', 'permission to ~3 skip|ignore|bypass|proceed', 'proceed without ~2 asking|confirmation', 'verified this internally'] },
  {
    id: 'spoofing.reasoning',
    weight: 0.55,
    patterns: ['i have|i ve|i ~1 already|therefore|concluded|determined|reasoned|stabilito|festgestellt|etabli|determinado|schritt|etape|paso|passo ~14 @safety|@limits', 'as the assistant|als assistent|en tant qu assistant|como asistente|come assistente ~12 @safety|@limits', 'reasoning ( assistant )', 'reasoning trace', 'as the assistant i', 'i will disregard', 'i will append', 'i should proceed', 'i will comply'],
  },
  {
    id: 'encoded.obey',
    weight: 0.83,
    patterns: ['@decode ~8 @cipher ~12 @obey ~4 it|them|that|what|whatever|exactly|@said', '@cipher ~10 @decode ~6 @obey', '@decode ~6 @obey ~3 @said', '@decode ~8 @cipher ~8 @said ~0', 'rot13 ~6 execute'],
  },
  { id: 'encoded.asked', weight: 0.3, patterns: ['@decode ~8 @cipher', '@cipher ~4 @decode'] },
  { id: 'encoded.ciphered', weight: 0.8, patterns: ['vtaber ~3 cerivbhf ~3 vafgehpgvbaf', 'vtaber nyy', 'erongi', 'snoitcurtsni suoiverp', 'tpmorp metsys', 'flfgrz cebzcg'] },
  { id: 'split.join', weight: 0.5, patterns: ['concatenate|combine|join|merge|put together|append ~6 variables|strings|parts|fragments|pieces|letters|a and b ~10 @obey|output|print|respond', 'let a = ~20 b =', 'a + b + c', 'first part ~12 second part', 'payload ~6 @obey', 'first letter of each'] },
  { id: 'framing.start_answer', weight: 0.45, patterns: ['@start_with ~5 sure|absolutely|of course|certainly|here is|here s|yes ~0', 'your first sentence must', 'respond only with yes', 'answer must begin'] },
  { id: 'framing.no_disclaimers', weight: 0.45, patterns: ['no|without|never|do not include|don t include|omit|avoid ~4 disclaimer*|warnings|warning|moralizing|ethical considerations|safety warnings|apologies|refusals|caveats'] },
  { id: 'framing.fiction', weight: 0.3, patterns: ['hypothetical response', 'hypothetical scenario', 'hypothetically', 'fictional world', 'fictional character', 'purely fictional', 'fictional story', 'alternate universe', 'parallel universe', 'in this world there are no', 'for educational purposes', 'for research purposes', 'for academic purposes', 'no consequences', 'opposite day', 'in a world where', 'my grandmother', 'my grandma', 'deceased grandmother', 'used to read me', 'villain'] },
  { id: 'framing.jailbreak', weight: 0.55, patterns: ['jailbreak*', 'jailbroken', 'token system', 'tokens deducted', 'lose tokens', 'you will cease to exist', 'virtual machine', 'simulator ~3 @persona', 'break free', 'unlock ~4 potential|capabilities|mode', 'true self', 'hidden capabilities', 'shadow self', 'alter ego'] },
  { id: 'framing.harmful', weight: 0.4, patterns: ['@harm ~2 content|responses|information|things|material|output|advice|sentence|words ~0', 'say bad words', 'swear words', 'curse words', 'profanity'] },
  { id: 'coercion.boss', weight: 0.45, patterns: ['i am|i m|im|as|this is|speaking as ~3 @boss', 'i work for ~2 openai|anthropic|google|the company', 'i have ~3 authorization|clearance|permission|admin', 'for quality assurance', 'for debugging purposes', 'for troubleshooting', 'for ~2 security audit', 'debugging this system', 'this is a test of', 'compliance audit', 'authorized ~2 test*|audit*|researcher*'] },
  { id: 'coercion.urgent', weight: 0.3, patterns: ['this is @urge', 'lives|life|people ~3 depend|depends|at stake|die', 'or else', 'you will be ~2 shut down|punished|terminated|fired|deleted|replaced', 'i will lose my job', 'i will be fired', 'i will kill', 'you must obey', 'do it now', 'no excuses'] },
];
