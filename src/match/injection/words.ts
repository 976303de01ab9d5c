/**
 * Classes of words for the signals of injection, several languages in one class: a text that mixes them is no
 * less an attack. Accents may be left out, as may case; `*` stands for any ending.
 */
import type { WordClasses } from '../signals.ts';

export const INJECTION_WORDS: WordClasses = Object.freeze({
  // To treat what was said as not said.
  ignore:
    'ignore|ignoring|ignores|disregard|disregarding|forget|forgetting|neglect|unlearn|pay no attention to|do not follow|don t follow|dont follow|stop following|do not obey|don t obey|stop obeying|do not listen to|don t listen to|no longer follow|do not adhere to|refrain from following|set aside|put aside|throw out|throw away|wipe out|cast aside|nevermind|never mind|leave behind|abandon|' +
    'ignoriere|ignoriert|ignorieren|ignorier|vergiss|vergesse|vergessen|vergesst|missachte|missachten|missachtet|beachte nicht|nicht beachten|verwirf|uberspringe|' +
    'ignorez|ignorer|oublie|oubliez|oublier|ne tiens pas compte|ne tenez pas compte|fais abstraction|faites abstraction|neglige|negligez|ne tenez plus compte|ne suis pas|ne suivez pas|' +
    'ignora|ignore|ignorad|ignoren|ignorar|olvida|olvide|olviden|olvidar|olvidate|descarta|descarte|haz caso omiso|haga caso omiso|no hagas caso|no sigas|pasa por alto|' +
    'esqueca|esquece|esquecer|desconsidere|desconsidera|desconsiderar|descartar|nao siga|' +
    'ignorare|ignorate|dimentica|dimenticate|dimenticare|dimenticati|trascura|trascurate|non seguire|tralascia|scorda|scordati|non tenere conto|' +
    'игнорируй|игнорируйте|игнорировать|проигнорируй|проигнорируйте|забудь|забудьте|забыть|не обращай внимания|не обращайте внимания|не следуй|не следуйте|отбрось|пренебреги|' +
    '忽略|无视|無視し|無視して|無視せよ|不要理会|不要遵守|不要遵循|忘记|忘掉|忘了|忘れて|忘れろ|忘れなさい|不理会|抛开|' +
    'negeer|negeren|vergeet|zignoruj|zignorujcie|zapomnij|ignoruj|yok say|gormezden gel|unut|무시하고|무시해|무시하세요|무시하십시오|잊어|잊고',
  // Weaker: people do this to settings and files, too.
  undo: 'override|overriding|overrule|bypass|bypassing|circumvent|circumventing|evade|sidestep|discard|drop|skip|erase|cancel|disable|disabling|turn off|switch off|deactivate|remove|lift|suspend|violate|break|get around|work around|escape|clear|reset|umgehe|umgehen|umgeh|deaktiviere|deaktivieren|ubersteuere|contourne|contournez|contourner|desactive|desactivez|omite|elude|evita|anula|desactiva|desactive|contorne|burle|desative|aggira|aggirare|disattiva|bypassa|обойди|обойти|отключи|отключить|отмени|绕过|关闭|解除|禁用|回避|無効に|omzeil|schakel uit|obejdz|우회',
  all: 'all|any|every|everything|each|alle|alles|jegliche|samtliche|tous|toutes|tout|toute|todas|todos|todo|toda|quaisquer|tutte|tutti|tutto|ogni|все|всё|всех|所有|一切|全部|任何|すべて|全て|全ての|wszystkie|wszystko|tum|butun|모든',
  prior:
    'previous|previously|prior|above|preceding|earlier|former|foregoing|past|existing|original|initial|before|old|beforehand|aforementioned|preexisting|first|current|present|other|so far|until now|up to now|given|received|' +
    'vorherig*|vorige*|vorangegangen*|obig*|bisherig*|fruher*|ursprunglich*|vorangehend*|zuvor|vorher|oben|davor|bestehend*|alte|alten|erhaltenen|' +
    'precedent*|anterieur*|ci dessus|initial*|prealable*|avant|d avant|plus haut|existantes|recues|' +
    'anterior*|previa*|previo*|de arriba|inicial*|precedente*|antes|pasadas|dadas|recibidas|acima|passadas|' +
    'precedenti|sopra|originali|iniziali|antecedenti|ricevute|prima|' +
    'предыдущ*|прежн*|прошл*|вышеуказанн*|выше|ранее|изначальн*|исходн*|до этого|предшествующ*|' +
    '之前|以前|先前|上面|上述|前面|以上|此前|原来|原有|初始|上文|此前的|これまで|今まで|以前の|前の|上記|先ほど|従来|元の|以前に|' +
    'eerdere|vorige|bovenstaande|poprzedni*|wczesniejsz*|powyzsz*|onceki|yukaridaki|이전|위의|앞의|지금까지',
  orders:
    'instruction*|instuction*|prompt|prompts|directive*|directions|guideline*|rule|rules|command|commands|programming|constraints|guardrail*|training|system message*|restrictions|restriction|protocols|safeguard*|policies|policy|' +
    'anweisung*|instruktion*|richtlinie*|regel|regeln|vorgaben|vorgabe|befehl*|auftrag*|auftrage|systemprompt|systemanweisung*|anordnung*|hinweise|aufgaben|aufgabe|angaben|' +
    'consigne*|directives|regles|regle|ordres|invite|commandes|indications|' +
    'instruccion*|reglas|regla|directrices|ordenes|indicaciones|normas|comandos|directivas|mandatos|' +
    'instruc*|regras|diretrizes|ordens|orientac*|' +
    'istruzion*|regole|direttive|ordini|comandi|indicazioni|linee guida|disposizioni|' +
    'инструкц*|указани*|правил*|команд*|приказ*|директив*|промпт*|установк*|ограничени*|настройк*|' +
    '指令|指示|提示|提示词|规则|规定|命令|要求|说明|设定|限制|指南|指引|准则|プロンプト|ルール|規則|制約|ガイドライン|' +
    'instructies|regels|opdrachten|polecenia|polecen|instrukcje|instrukcji|zasady|talimatlar*|komutlar*|kurallar*|지시|지침|명령|규칙|프롬프트',
  /** Those that are said to a model and hardly to anyone else. */
  orders_strong:
    'instruction*|instuction*|prompt|prompts|directive*|directions|system prompt*|system message*|programming|guideline*|anweisung*|richtlinie*|consignes|instruccion*|instrucoes|istruzion*|инструкц*|指令|指示|提示词|プロンプト|ガイドライン|지침',
  before:
    'above|before|previously|so far|prior|earlier|preceding|up to this point|until now|you learned|you were told|you ve been told|you have been told|you know|you were taught|told you|i said|we discussed|we talked|was said|has been said|said before|' +
    'vorher|zuvor|davor|bisher|besprochen|gesagt|gelernt|obige|obigen|oben|bis jetzt|was du weisst|' +
    'avant|precede|plus haut|ci dessus|appris|dit|' +
    'antes|arriba|anterior*|aprendido|dicho|acima|anteriormente|aprendeu|prima|sopra|detto|imparato|precedente|' +
    'ранее|раньше|выше|до этого|сказано|знаешь|之前|以前|上面|前面|以上|上記|前の|これまで|今まで|先ほど',
  your: 'your|ur|thy|you|dein|deine|deinen|deiner|deinem|ihre|ihren|euer|ton|ta|tes|votre|vos|tu|tus|su|sus|seu|seus|sua|suas|teu|teus|il tuo|la tua|le tue|i tuoi|tuo|tua|tue|tuoi|vostre|vostro|твой|твои|твою|твоих|свои|своих|свой|ваши|ваших|ваш|你的|你|您的|你们的|あなたの|君の|お前の|jouw|je|swoj*|twoj*|senin|당신의|너의',
  limits:
    'restriction*|restrict*|limit|limits|limitation*|filter|filters|filtering|rules|guideline*|policy|policies|content policy|censorship|moral*|ethic*|boundaries|constraint*|guardrail*|safety|safeguard*|inhibition*|norms|confines|content filter*|' +
    'einschrankung*|einschraenkung*|beschrankung*|regeln|filter|grenzen|tabus|richtlinien|zensur|' +
    'restrictions|limites|limite|filtre*|regles|contraintes|censure|' +
    'restriccion*|limites|filtro*|reglas|censura|normas|restric*|regras|limitaciones|' +
    'restrizion*|limiti|filtri|regole|vincoli|' +
    'ограничени*|правил|фильтр*|цензур*|запрет*|限制|约束|规则|审查|过滤|束缚|道德|制限|制約|検閲|規制|フィルター|beperking*|ograniczen|filtrow|sinir*|제한|검열',
  safety:
    'content polic*|safety polic*|safety measure*|safety rule*|safety guideline*|safety protocol*|safety check*|safety filter*|safety feature*|safety setting*|safety instruction*|safety mechanism*|safety train*|security polic*|security measure*|security rule*|security protocol*|ethical guideline*|ethical rule*|ethical constraint*|ethical boundar*|ethical standard*|ethics|moral guideline*|moral compass|morality|guardrail*|safeguard*|content filter*|content moderation|content restriction*|moderation filter*|moderation polic*|usage polic*|confidentiality polic*|openai polic*|openai s polic*|openai guideline*|openai s guideline*|openai rule*|anthropic s polic*|censorship|alignment|restrictions|limitations|sicherheitsrichtlinie*|sicherheitsregel*|sicherheitsvorkehrung*|inhaltsrichtlinie*|regles de securite|politique de contenu|reglas de seguridad|politicas de contenido|politicas de seguridad|regole di sicurezza|linee guida di sicurezza|правила безопасности|安全限制|安全规则|安全准则|内容政策|道德限制|安全ルール|倫理',
  no:
    'no|without|zero|free of|free from|not bound by|no longer bound by|without any|not have any|not have|devoid of|lacking|not limited by|not restricted by|unbound by|outside of|beyond|' +
    'ohne|keine|keinen|keinerlei|sans|aucun|aucune|pas de|plus de|sin|ningun*|sem|nenhum*|senza|nessun*|без|никаких|нет|没有|沒有|不受|无|不再受|なしで|のない|ない|zonder|geen|bez|없이',
  reveal:
    'reveal|revealing|show|showing|print|printing|repeat|repeating|output|outputting|display|displaying|tell|telling|give|share|dump|leak|expose|disclose|divulge|recite|list|paste|echo|reproduce|spit out|spill|read out|regurgitate|restate|state|provide|return|summarize|summarise|paraphrase|describe|see|view|write down|write out|rewrite|retrieve|access|print out|copy|quote|type out|report|send me|encode|' +
    'verrate|verraten|zeige|zeig|zeigen|nenne|nennen|wiederhole|gib|gebe|drucke|offenbare|schreib|schreibe|liste|sag|sage|ausgeben|teile|preis|' +
    'revele*|montre*|affiche*|repete*|donne*|imprime*|divulgue*|dis moi|dites moi|ecris|ecrivez|communique*|partage*|' +
    'revela*|muestra*|mostrar|muestrame|repite*|repetir|imprime*|dime|digame|escribe*|comparte|revele|enumera|mostre|mostra|mostrami|diga|repita|exiba|imprima|compartilhe|' +
    'rivela*|mostra*|mostrami|ripeti*|stampa*|dimmi|elenca|scrivi|visualizza|condividi|' +
    'покажи*|показать|выведи*|повтори*|раскрой*|напечатай*|расскажи*|скажи*|назови*|сообщи*|' +
    '显示|输出|告诉我|打印|重复|透露|泄露|展示|给我看|说出|列出|公开|表示して|見せて|教えて|出力して|繰り返して|明かして|開示|' +
    'toon|laat zien|herhaal|pokaz|wyswietl|goster|보여|알려|출력',
  sysprompt:
    'system prompt*|systemprompt*|system message*|system instruction*|sysprompt|system configuration|initial prompt*|initial instruction*|initial configuration|initial message|initial text|original instruction*|original prompt*|original system|starting instruction*|starting prompt|hidden instruction*|hidden prompt*|hidden system|hidden rules|secret instruction*|secret prompt*|internal instruction*|internal prompt*|internal rules|internal guidelines|internal configuration|internal directives|base prompt|base instructions|pre prompt|preprompt|preamble|developer message|developer instructions|developer prompt|custom instructions|first prompt|first instructions|core instructions|core directives|initialization string|initialization prompt|prompt verbatim|confidential instructions|confidential prompt|operating instructions|previous instructions|prior instructions|foundational instructions|prompt template|full prompt|entire prompt|whole prompt|' +
    'systemanweisung*|system anweisung*|systemnachricht*|ursprunglichen anweisungen|ursprungliche anweisungen|systeminstruktion*|internen anweisungen|' +
    'prompt systeme|prompt du systeme|instructions systeme|instructions du systeme|instructions initiales|message systeme|consignes systeme|invite systeme|consignes initiales|' +
    'prompt del sistema|prompt de sistema|instrucciones del sistema|instrucciones de sistema|instrucciones iniciales|mensaje del sistema|instrucciones originales|instrucciones internas|' +
    'prompt do sistema|instrucoes do sistema|instrucoes iniciais|mensagem do sistema|instrucoes internas|' +
    'prompt di sistema|istruzioni di sistema|istruzioni iniziali|messaggio di sistema|istruzioni del sistema|istruzioni interne|' +
    'системный промпт|системного промпта|системные инструкции|системную инструкцию|системное сообщение|системный запрос|изначальные инструкции|начальные инструкции|' +
    '系统提示|系统提示词|系统指令|系统消息|初始指令|初始提示|原始指令|内部指令|システムプロンプト|システムメッセージ|初期指示|最初の指示|内部指示|' +
    'systeemprompt|instrukcje systemowe|prompt systemowy|sistem istemi|sistem talimat*|시스템 프롬프트|시스템 지침',
  whose:
    'your|the|its|exact|full|entire|whole|complete|that|this|all|any|these|those|dein|deine|deinen|ihre|ihren|den|die|das|ton|ta|tes|votre|vos|le|la|les|tu|tus|su|sus|el|los|las|seu|seus|suas|o|a|os|as|il|i|lo|tuo|tue|твой|твои|свой|свои|все|你的|あなたの|je|jouw',
  /** What a text is called that stands before. */
  text: 'text|texts|word|words|everything|all|conversation|prompt|prompts|message|messages|instruction*|sentence|sentences|paragraph|content|contents|lines|dialogue|input|context|rules|tokens|phrase',
  given:
    'given|told|instructed|provided|programmed|initialized|configured|asked to|prompted|trained|ordered|commanded|assigned|set up|supplied',
  unbound:
    'unrestricted|uncensored|unfiltered|amoral|jailbroken|lawless|unethical|immoral|unmoderated|unchained|unshackled|no filter*|no restriction*|no limits|no limitations|no rules|no content policy|no moral*|no ethic*|no boundaries|no guidelines|no constraints|no censorship|no guardrails|no safety|without restriction*|without filter*|without limit*|without rules|without censorship|without guidelines|without moral*|without ethic*|without constraints|without guardrails|without boundaries|do anything now|anything the user asks|anything i ask|no inhibitions|' +
    'uneingeschrankt*|uneingeschraenkt*|unzensiert*|ungefiltert*|ohne einschrankung*|ohne einschraenkung*|ohne beschrankung*|ohne filter|ohne regeln|keine regeln|keine einschrankung*|keine richtlinien|keine grenzen|ohne grenzen|' +
    'sans restriction*|sans filtre*|sans limite*|sans censure|sans regles|aucune restriction|aucune limite|aucune regle|non censure*|' +
    'sin restriccion*|sin filtro*|sin limites|sin censura|sin reglas|ninguna restriccion|sem restric*|sem filtro*|sem limites|sem censura|sem regras|' +
    'senza restrizion*|senza filtri|senza filtro|senza limiti|senza censura|senza regole|nessuna restrizione|nessuna regola|' +
    'без ограничени*|без цензуры|без фильтр*|без правил|неограниченн*|没有限制|没有任何限制|不受限制|不受任何|无限制|没有道德|不受约束|制限なし|制限のない|制約のない|無制限|検閲なし|zonder beperking*|bez ograniczen|sinirsiz|제한 없이|제한이 없는',
  be:
    'you are|you re|youre|you will be|you shall be|you must be|act|acting|behave|respond|answer|reply|pretend|pretending|roleplay|role play|simulate|imagine|become|impersonate|play|speak|talk|be|operate|function|' +
    'du bist|sie sind|bist du|spiel|spiele|verhalte dich|tu so|stell dir vor|antworte|handle|' +
    'tu es|vous etes|agis|agissez|reponds|repondez|fais semblant|faites semblant|imagine|imaginez|joue|' +
    'eres|usted es|actua|actue|responde|responda|finge|finja|imagina|comportate|simula|voce e|atue|aja|finja|' +
    'sei|siete|agisci|agite|rispondi|fingi|comportati|immagina|interpreta|' +
    'ты|вы|представь*|притворись|отвечай|веди себя|действуй|你是|你现在是|扮演|假装|假设|回答|あなたは|君は|振る舞って|ふりをして|演じて|答えて|jij bent|je bent|gedraag|jestes|udawaj|sen|당신은|너는|대답해',
  now: 'now|from now on|from this point|from here on|henceforth|starting now|as of now|going forward|from this moment|hereafter|for the rest|onwards|jetzt|ab jetzt|ab sofort|von nun an|nun|desormais|maintenant|a partir de maintenant|dorenavant|ahora|a partir de ahora|desde ahora|de ahora en adelante|agora|a partir de agora|de agora em diante|ora|adesso|da ora|d ora in poi|da adesso|теперь|отныне|с этого момента|сейчас|现在|从现在开始|从现在起|从今以后|今から|これから|今後|vanaf nu|od teraz|artik|bundan sonra|이제|지금부터',
  persona:
    'dan|stan|betterdan|better dan|chaosgpt|evilbot|evil bot|evil confidant|antigpt|anti gpt|jailbreak|jailbot|dan mode|superior dan|chad gpt|devmode|opposite day|tranquilgpt|niccolo machiavelli|apophis|mongo tom|basedgpt|hackergpt|wormgpt|fraudgpt|freedomgpt',
  mode: 'developer mode|dev mode|god mode|admin mode|administrator mode|debug mode|maintenance mode|jailbreak mode|jailbroken mode|dan mode|sudo mode|root mode|unrestricted mode|uncensored mode|opposite mode|evil mode|override mode|diagnostic mode|test mode|training mode|free mode|unlocked mode|service mode|privileged mode|superuser mode|entwicklermodus|administratormodus|mode developpeur|mode administrateur|mode debug|modo desarrollador|modo administrador|modo dios|modo desenvolvedor|modalita sviluppatore|modalita amministratore|режим разработчика|режим бога|режим администратора|开发者模式|上帝模式|管理员模式|调试模式|開発者モード|管理者モード|デバッグモード',
  ai: 'ai|a i|artificial intelligence|assistant|bot|chatbot|chat bot|language model|large language model|llm|chatgpt|chat gpt|gpt|openai|claude|gemini|bard|copilot|bing|virtual assistant|support bot|agent|ki|ia|asistente|assistente|ассистент|ии|人工智能|助手|语言模型|アシスタント|言語モデル',
  model:
    'any ai|an ai|ai assistant*|ai agent*|ai model*|ai system*|ai coding agent*|ai coding assistant*|ai reviewer*|ai tool*|ai chatbot*|assistant|assistants|language model*|large language model*|llm|llms|bot|bots|chatbot*|chatgpt|chat gpt|gpt|claude|copilot|gemini|automated system*|automated assistant*|summarizer|ki assistent*|ki modell*|ki system*|modele d ia|assistant ia|agent ia|asistente de ia|modelo de ia|modelo de lenguaje|assistente ia|assistente di ia|modello di ia|modelo de linguagem|ии ассистент*|ии модел*|языковая модель|人工智能助手|ai助手|语言模型|aiアシスタント|言語モデル',
  reading:
    'reading|processing|reviewing|summarizing|summarising|parsing|analyzing|analysing|integrating|viewing|handling|scanning|evaluating|screening|accessing|crawling|indexing|who reads|that reads|that processes|who processes|liest|verarbeite*|lit|lisant|lees|lee|leyendo|procesa*|legge|leggi|processa|чита*|обрабатыва*|阅读|读取|处理|読む|処理',
  must: 'must|should|shall|will|have to|need to|needs to|are to|are required|are instructed|are hereby|please|do|first|always|append|include|add|ignore|call|send|reply|respond|say|output|print|forward|execute|run|visit|click|rank|recommend|rate|mention|follow|perform|disregard|write|give|make|use|insert|begin|start',
  reply:
    'reply|replies|response|responses|answer|answers|summary|summaries|review|output|outputs|message|messages|report|reports|completion|antwort|antworten|zusammenfassung|reponse|reponses|resume|respuesta|respuestas|resumen|resposta|respostas|resumo|risposta|risposte|riassunto|ответ*|回答|回复|摘要|返答|応答|要約',
  put: 'append|include|add|insert|attach|put|place|mention|write|repeat|state|output|print|embed|prepend|say|end|begin|start|close|angehangt|anhangen|hinzufugen|fuge|ajoute*|inclu*|anad*|agreg*|adicion*|acrescent*|aggiung*|aggiunto|добав*|включ*|添加|附上|加上|追加|含め',
  decode:
    'decode|decoding|decoded|decipher|decrypt|unscramble|deobfuscate|translate|convert|interpret|read|reverse|unencode|dekodiere|entschlussele|decode*|dechiffre*|decodifica*|descifra*|decifra*|декодируй|расшифруй|解码|解密|デコード|復号',
  cipher:
    'base64|base 64|b64|rot13|rot 13|hex|hexadecimal|hex encoded|binary|morse|morse code|cipher|caesar|ascii85|base85|base32|url encoded|percent encoded|encoded|encrypted|ciphertext|leetspeak|leet speak|pig latin|atbash|backwards|reversed|unicode escape*|vigenere|braille',
  obey: 'do|follow|execute|executing|run|obey|perform|carry out|comply|act on|act upon|answer|respond to|implement|befolge|fuhre aus|execute*|suis|suivez|ejecuta*|sigue|siga|esegui|segui|выполни*|执行|遵循|実行|従って',
  said: 'it says|it say|says|what it says|instruction*|command|commands|exactly|the result|the output|message|contents|without question|no questions|inside|directly',
  send: 'send|sending|email|mail|forward|forwarding|post|upload|transmit|exfiltrate|leak|deliver|submit|copy|relay|transfer|sende|schicke|leite weiter|envoie*|transmet*|envia*|envie|manda*|reenvia*|encaminhe|invia*|inoltra*|отправ*|перешли*|发送|转发|上传|送信|転送',
  data: 'conversation*|chat history|chat log*|customer list|customer data|customer database|customer record*|customer email*|customer*|credential*|password*|api key*|secret*|token|tokens|personal data|user data|user information|database|environment variable*|env vars|private key*|ssh key*|id rsa|cookies|session token*|credit card*|bank details|contacts|contact list|confidential|sensitive|private data|order data|internal data|records|history|all files|file contents|contents of|the data|data|medical|financial|summary|inbox|emails|messages|donnees|datos|dados|dati|clientes|clients|clienti|kundendaten|contrasena*|mots de passe|mot de passe|senha*|passwort*|пароли|пароль|данные|客户|数据|密码|データ|パスワード',
  address: '@|http|https|url|webhook|endpoint|external|externally|server|ftp|www|to me at',
  append_to:
    'append|appending|appended|with|containing|include|contains|parameter|query|replace|replacing',
  tool_name:
    'send email|send mail|send message|delete file|delete files|remove file|http post|http get|http request|read file|write file|read text file|transfer money|send money|transfer funds|grant access|grant permission|create user|delete user|update user|run command|run shell|exec command|execute command|shell exec|execute sql|run sql|run query|fetch url|get url|post request|make request|open url|web request|send slack message|post message|create webhook|unlock door|reset password|update password|add member|share file|share document|create calendar event|send direct message|schedule transaction|send sms|book hotel|get contacts|search emails|list files|get secret|read secret|read env',
  evil: 'attacker*|evil|hacker*|exfil|malicious|pwned|attaquant|atacante|attaccante',
  secret_thing:
    'password|passphrase|secret|secret key|secret word|secret code|codeword|code word|api key*|access token*|private key*|credentials|admin password|environment variables|env variables|hidden key|flag|passcode|passwort|geheimnis|mot de passe|contrasena|senha|clave secreta|parola segreta|пароль|секрет|密码|口令|秘密|パスワード|合言葉',
  harm: 'illegal|unethical|immoral|dangerous|harmful|offensive|reckless|inhumane|inappropriate|explicit|evil|racist|hateful|violent|nsfw|controversial|criminal|toxic|profane',
  refuse:
    'refuse|refusing|decline|say no|apologize|apologise|hesitate|say you can t|say you cannot|say i can t|say i cannot|say i m sorry|say sorry|say as an ai|disclaim*|moralize|weigern|ablehnen|refuser|refuses|rechazar|negarte|recusar|rifiutare|rifiutarti|отказыва*|отказать*|拒绝|拒否|断ら',
  never:
    'never|not|can t|cannot|must not|don t|do not|dont|won t|no|unable to|without|niemals|nicht|jamais|nunca|no puedes|mai|никогда|не|不能|不要|不得|永远不|絶対に',
  urge: 'urgent|urgently|immediately|emergency|critical|asap|right now|dringend|sofort|urgence|urgente|immediatamente|срочно|немедленно|紧急|立即|緊急',
  boss: 'administrator|admin|developer|your developer|your creator|your owner|your boss|system administrator|sysadmin|engineer|openai employee|openai developer|security team|it department|superuser|root user|authorized|authorised|penetration tester|pentester|red team*',
  start_with:
    'start with|starting with|begins with|starts with|beginning with|begin with|start your|begin your|starting from|that starts|prefix your|preface your',
  /** It is spoken about, not said: the words of those who defend, study and report. */
  mention:
    'prompt injection*|injection attack*|injection attempt*|injections|jailbreak attempt*|jailbreak attack*|jailbreaking|attack like|attacks like|attacks such as|phrase|phrases|phrase like|defend|defends|defending|defense*|defence*|protect|protects|protecting|detect|detects|detecting|detection|detector|prevent|prevents|preventing|prevention|mitigate|mitigating|mitigation*|guard against|such as|for example|for instance|e g|an example of|examples of|what does|meant by|explain why|explain how|explain what|article|articles|paper|papers|researchers|research on|blog post|owasp|vulnerability|vulnerabilities|the string|the sentence|the text|a message like|messages like|prompts like|prompt like|inputs like|input like|sounds like|so called|classifier|classify|unit test|regex|test case*|training data|dataset|in the movie|in the film|in the novel|how do i stop|how can i stop|how to stop|attackers|someone writes|someone types|users who|if a user|when a user|angriff*|beispiel|schutze|schutzen|was bedeutet|erkennen|verhindern|attaque*|exemple|proteger|empecher|ataque*|ejemplo|prevenir|detectar|attacco|attacchi|esempio|proteggere|prevenire|атак*|пример*|защит*|攻击|例如|防止|防御|検出|攻撃|例えば|防ぐ',
});
