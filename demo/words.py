"""The made-up world's names and texts, in Danish and English. No name here is a real person's or company's."""

from __future__ import annotations

SUPPLIER = "Havgnist Software A/S"
SUPPLIER_DOMAIN = "havgnist.example"
FREE_MAIL = "gmail.com"

# A company is a root of two parts and a trade: `Birkefjord Pumper A/S`.
ROOT_STARTS = (
    "Birke", "Bøge", "Elle", "Fyrre", "Granne", "Hassel", "Hede", "Hylde", "Kilde", "Klinte", "Lærke", "Marehalm",
    "Mose", "Nordre", "Pile", "Porse", "Rønne", "Sand", "Siv", "Skov", "Slåen", "Sten", "Strand", "Søndre", "Tang",
    "Tjørne", "Tornby", "Vester", "Vinter", "Øster",
)  # fmt: skip
ROOT_ENDS = (
    "bakke", "banke", "bjerggård", "bro", "dal", "eng", "fjord", "gavl", "grund", "have", "holme", "høj", "klint",
    "krog", "kær", "lund", "løkke", "mark", "mølle", "næs", "odde", "rode", "skær", "sø", "tofte", "vang", "vig",
    "vænge", "å", "ås",
)  # fmt: skip
TRADES = {
    "Manufacturing": ("Pumper", "Maskinfabrik", "Stål", "Emballage"),
    "Logistics": ("Spedition", "Lager", "Transport"),
    "Retail": ("Butikker", "Engros", "Detail"),
    "Energy": ("Fjernvarme", "Energi", "Vind"),
    "Professional Services": ("Rådgivning", "Ingeniører", "Revision"),
    "Food": ("Mejeri", "Bageri", "Fødevarer"),
}
FORMS = ("A/S", "ApS")

FIRST_NAMES = (
    "Alvilde", "Asbjarn", "Bodilla", "Brynulf", "Dagnike", "Eskilda", "Fridjof", "Gudruna", "Hjalmer", "Idunna",
    "Joar", "Kettil", "Liva-Lo", "Magnild", "Njalle", "Odina", "Ravna", "Sigvarda", "Torfinna", "Ylvane",
)  # fmt: skip
LAST_NAMES = (
    "Bækvind", "Dugstrand", "Emborgdal", "Fjeldmose", "Gyvelkær", "Hvidtjørn", "Iskilde", "Kornbakke", "Lyngvad",
    "Mosebryn", "Natlund", "Ørnegavl", "Perlevig", "Regnholm", "Solbækdal", "Tangvang", "Uglerod", "Vejrmølle",
)  # fmt: skip
TITLES = (
    ("Chief Financial Officer", "Finance"), ("Bogholder", "Finance"), ("IT-chef", "IT"), ("Systemadministrator", "IT"),
    ("Driftsleder", "Operations"), ("Produktionschef", "Operations"), ("Indkøber", "Procurement"),
    ("Superbruger", "Operations"), ("Projektleder", "Operations"), ("Administrerende direktør", "Management"),
)  # fmt: skip
VENDOR_TITLES = ("Account Manager", "Customer Success Manager", "Product Manager", "Solution Architect", "Consultant")

STREETS = (
    "Havnegade", "Industrivej", "Fabriksvej", "Nørregade", "Søndergade", "Smedevej", "Lundevej", "Møllevej",
    "Stationsvej", "Kirkevej", "Energivej", "Erhvervsparken",
)  # fmt: skip
TOWNS = (
    ("2100", "København Ø"), ("2630", "Taastrup"), ("3400", "Hillerød"), ("4000", "Roskilde"), ("4700", "Næstved"),
    ("5000", "Odense C"), ("6000", "Kolding"), ("6700", "Esbjerg"), ("7100", "Vejle"), ("7400", "Herning"),
    ("8000", "Aarhus C"), ("8600", "Silkeborg"), ("8900", "Randers C"), ("9000", "Aalborg"), ("9800", "Hjørring"),
)  # fmt: skip

PRODUCTS = ("Havgnist Plan", "Havgnist Flow", "Havgnist Insight")
REGIONS = ("Hovedstaden", "Sjælland", "Syddanmark", "Midtjylland", "Nordjylland")
SLA_TIERS = ("Standard", "Plus", "Premium")

# Subjects, by what the contact is about.
TICKET_SUBJECTS = {
    "incident": (
        "Login virker ikke", "Rapporten viser en fejl", "Integration down since this morning", "Error 500 on save",
        "Nedbrud i planlægningsmodulet", "Eksporten giver en tom fil - fejl 32", "Sync not working after the update",
        "Fejl ved import af varelinjer", "App crashes on opening the calendar",
    ),
    "problem": (
        "Langsomme svartider om mandagen", "Tallene stemmer ikke mellem to rapporter", "Recurring sync delays",
        "Gentagne afbrydelser i integrationen",
    ),
    "question": (
        "Hvordan opretter vi en ny afdeling?", "How do we set up single sign-on?", "Hvor finder jeg historikken?",
        "Can we schedule the export ourselves?", "Spørgsmål til brugerrettigheder", "Which fields can the API update?",
        "Hvad er den bedste måde at opdele teams på?", "Hjælp til at bygge et overblik til ledelsen",
    ),
    "feature": (
        "Ønske om flere filtre i oversigten", "Feature request: bulk edit of orders", "Forslag til bedre søgning",
        "Idea for a shared dashboard", "Ønske til mobilvisning", "Suggestion: approvals in two steps",
    ),
    "pilot": (
        "Tilbagemelding fra pilot på ny prognose", "Beta feedback: planning board", "Pilot: hvad vi lærte i uge 2",
        "Early access to the new API - our findings", "Prøvedrift af stregkoder, iagttagelser",
    ),
    "task": (
        "Opret tre nye brugere", "Please archive last year's projects", "Skift kontaktperson på kontoen",
        "Add a cost centre to the export",
    ),
    "discount": (
        "Kan vi få rabat ved flere brugere?", "Discount on additional seats?", "Prisnedslag for ekstra modul",
        "We were offered it cheaper elsewhere", "Bedre pris ved toårig aftale?",
    ),
    "dispute": (
        "Indsigelse mod faktura {number}", "Wrong charge on invoice {number}", "Forkert fakturabeløb på {number}",
        "Dispute: invoice {number} does not match the order", "Vi bestrider faktura {number}",
        "We have been overcharged on {number}",
    ),
}  # fmt: skip
TICKET_TYPES = {
    "incident": "incident", "problem": "problem", "question": "question", "feature": "question", "pilot": "task",
    "task": "task", "discount": "question", "dispute": "question",
}  # fmt: skip
TICKET_TAGS = {
    "incident": (), "problem": (), "question": (), "feature": ("feature_request",), "pilot": ("beta", "pilot"),
    "task": (), "discount": ("discount",), "dispute": ("dispute",),
}  # fmt: skip

CUSTOMER_MAIL = (
    "Tanker om næste halvår", "An idea after yesterday", "Vi har kigget på tallene",
    "Could we look at our set-up together?",
    "Nye behov fra lageret", "Can you meet our new team?", "Hvad siger I til dette?", "Our plans for the second site",
    "Spørgsmål før sommer", "Thoughts on the process", "Vi vil gerne vise jer noget",
)  # fmt: skip
VENDOR_MAIL = (
    "Opsamling fra sidst", "News for your team", "Forslag til næste skridt", "Nyt i version 8",
    "Your usage this quarter",
    "Invitation til brugerdag", "A short status from us", "Tak for besøget", "Webinar om prognoser",
    "What changed in May",
    "Planlægning af efteråret",
)  # fmt: skip
OBLIGATORY_MAIL = (
    "Fornyelse af jeres kontrakt", "Contract renewal", "Påmindelse om betaling af faktura {number}",
    "Reminder of payment: invoice {number}", "Aftalevilkår til gennemsyn",
)  # fmt: skip
DISCOUNT_MAIL = (
    "Kan vi få rabat?", "Discount request for renewal", "Vi har brug for en lavere pris", "Prisreduktion ved fornyelse",
    "Please reduce the fee", "Can you match a cheaper offer?", "Genforhandling af prisen",
    "En bedre pris til næste år?",
    "Request for a price reduction", "Rabat på de nye licenser",
)  # fmt: skip
CALLS = (
    "Opkald om status", "Call about the roll-out", "Kort snak om brugerne", "Call: next steps", "Opfølgning",
    "Call about new features", "Telefonmøde", "Check-in call",
)  # fmt: skip
MEETINGS = {
    "ordinary": (
        "Møde hos kunden", "Customer visit", "Gennemgang af opsætning", "Introduction of new colleagues",
        "Demo af version 8",
    ),
    "review": ("Kvartalsmøde", "Quarterly business review", "Statusmøde", "Målopfølgning"),
    "training": ("Kursus for nye brugere", "Training: reports", "Oplæring af superbrugere"),
    "design": (
        "Design session: planning board", "Designmøde om mobilvisning", "Pilotmøde, prognose",
        "Workshop: prototype af overblik",
        "Design workshop on approvals", "Brugertest af ny søgning", "Kravworkshop, integration",
    ),
}  # fmt: skip
MEETING_TYPES = {"ordinary": "Meeting", "review": "Review", "training": "Training", "design": "Design session"}

# Goals name the company, as a goal that two parties agreed on does; templates are the same text for everyone.
GOALS = (
    ("Kortere ordretid hos {company}: {target} % færre timer", "Cycle time reduction, %"),
    ("{company}: {target} % fewer stock-outs", "Stock-out reduction, %"),
    ("Færre manuelle rettelser hos {company}, {target} %", "Corrections avoided, %"),
    ("{target} % of orders at {company} go through untouched", "Touchless share, %"),
    ("{company} og vi: prognosefejl ned med {target} %", "Forecast error reduction, %"),
)
TEMPLATE_GOALS = (
    ("Øg anvendelsen", "Adoption, %"),
    ("Increase adoption", "Adoption, %"),
    ("Flere moduler", "Modules, %"),
)

QUESTION_BODY = ("Hej, kan I hjælpe os med dette?", "Hello, could you look into this?", "Vi er gået i stå her.")
CUSTOMER_BODY = ("Tak, her er flere oplysninger.", "We tried it, see below.", "Det passer ikke helt, vi foreslår ...")
AGENT_BODY = ("Tak for henvendelsen, vi kigger på det.", "Thanks, we are on it.", "Det er nu på plads.")
