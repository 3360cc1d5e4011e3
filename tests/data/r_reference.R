# Reference values for tests/test_r_parity.py, one row a number.
# Run in this folder, for a minute: Rscript r_reference.R    (R 4.2.2, survival 3.5-3, cmprsk 2.2-11, coin 1.4-2, KMsurv)
# Frames: aml, drug6mp and bmt come with R and are compared with the CSV files here; sksurv_bmt.csv is
# sksurv.datasets.load_bmt (Scrucca 2007); bioc_all.csv is made from pData of Bioconductor's ALL (Chiaretti 2004) with
# strict month/day/year dates; exemplar.csv is a made cohort of 31; monotone.csv is ten made patients whose every event
# falls in one arm.
suppressMessages({library(survival); library(cmprsk); library(KMsurv); library(jsonlite); library(coin)})

read <- function(name) read.csv(paste0(name, ".csv"), stringsAsFactors = FALSE)
facts <- list()
note <- function(data, group, analysis, statistic, value, call)
  facts[[length(facts) + 1]] <<- list(data = data, group = as.character(group), analysis = analysis,
                                      statistic = statistic, value = unname(as.numeric(value)), call = call)
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 100)  # R's default stops 3e-7 short

curve <- function(data, d, times, entry = NULL) {
  for (g in unique(d$arm)) {
    s <- d[d$arm == g, ]
    f <- if (is.null(entry)) survfit(Surv(time, event) ~ 1, s, conf.type = "log-log") else
      survfit(Surv(entry, time, event) ~ 1, s, conf.type = "log-log")
    how <- paste0("survfit(Surv(", if (!is.null(entry)) "entry, ", "time, event) ~ 1, conf.type = 'log-log')")
    what <- if (is.null(entry)) "km" else "km_truncated"
    q <- quantile(f, c(0.25, 0.5, 0.75))
    if (!is.null(entry)) {  # limits rise again here; quantile() then gives limits that leave the median out
      m <- summary(f)$table
      for (k in c("median", "0.95LCL", "0.95UCL"))
        note(data, g, what, c(median = "median", "0.95LCL" = "median_lower", "0.95UCL" = "median_upper")[[k]], m[[k]],
             paste0("summary(", how, ")$table"))
    } else for (p in c("25", "50", "75")) {
      name <- c("25" = "q25", "50" = "median", "75" = "q75")[[p]]
      note(data, g, what, name, q$quantile[p], paste0("quantile(", how, ")"))
      note(data, g, what, paste0(name, "_lower"), q$lower[p], paste0("quantile(", how, ")$lower"))
      note(data, g, what, paste0(name, "_upper"), q$upper[p], paste0("quantile(", how, ")$upper"))
    }
    z <- summary(f, times = times, extend = TRUE)
    for (i in seq_along(times)) {
      if (times[i] > max(s$time)) next
      at <- paste0("summary(", how, ", times = ", times[i], ")")
      note(data, g, what, paste0("survival@", times[i]), z$surv[i], at)
      note(data, g, what, paste0("survival_lower@", times[i]), z$lower[i], at)
      note(data, g, what, paste0("survival_upper@", times[i]), z$upper[i], at)
      note(data, g, what, paste0("at_risk@", times[i]), z$n.risk[i], at)
    }
    if (is.null(entry)) {
      r <- quantile(survfit(Surv(time, 1 - event) ~ 1, s, conf.type = "log-log"), 0.5)
      for (k in c("quantile", "lower", "upper"))
        note(data, g, "followup", c(quantile = "median", lower = "median_lower", upper = "median_upper")[[k]], r[[k]],
             "quantile(survfit(Surv(time, 1 - event) ~ 1, conf.type = 'log-log'), 0.5)")
    }
  }
}
contrast <- function(data, d, reference) {
  d$other <- as.integer(d$arm != reference)
  s <- survdiff(Surv(time, event) ~ other, d)
  note(data, reference, "logrank", "chi2", s$chisq, "survdiff(Surv(time, event) ~ arm)")
  note(data, reference, "logrank", "p", pchisq(s$chisq, 1, lower.tail = FALSE), "survdiff(Surv(time, event) ~ arm)")
  ratio(data, reference, "cox", coxph(Surv(time, event) ~ other, d, ties = "efron", control = tight),
        "coxph(Surv(time, event) ~ arm, ties = 'efron')")
  z <- cox.zph(coxph(Surv(time, event) ~ other, d, ties = "efron", control = tight))$table
  note(data, reference, "ph", "chi2", z["other", "chisq"], "cox.zph(coxph(Surv(time, event) ~ arm))")
  note(data, reference, "ph", "p", z["other", "p"], "cox.zph(coxph(Surv(time, event) ~ arm))")
}
ratio <- function(data, reference, analysis, m, call) {
  b <- coef(m)[[1]]; se <- sqrt(vcov(m)[1, 1]); w <- qnorm(0.975) * se
  note(data, reference, analysis, "HR", exp(b), call)
  note(data, reference, analysis, "lower", exp(b - w), call)
  note(data, reference, analysis, "upper", exp(b + w), call)
  note(data, reference, analysis, "p", 2 * pnorm(-abs(b / se)), call)
}
incidence <- function(data, d, times) {
  o <- cuminc(d$time, d$code, d$arm); tp <- timepoints(o, times)
  for (row in rownames(tp$est)) {
    parts <- strsplit(row, " (?=[12]$)", perl = TRUE)[[1]]
    for (j in seq_along(times)) {
      if (is.na(tp$est[row, j])) next
      at <- paste0("@", times[j]); f <- tp$est[row, j]; v <- tp$var[row, j]
      note(data, parts[1], paste0("cif", parts[2]), paste0("incidence", at), f, "cmprsk::cuminc(time, code, arm)$est")
      if (f > 0) {
        note(data, parts[1], paste0("cif", parts[2]), paste0("variance", at), v, "cmprsk::cuminc(time, code, arm)$var")
        w <- qnorm(0.975) * sqrt(v) / (f * log(f))
        note(data, parts[1], paste0("cif", parts[2]), paste0("lower", at), f^exp(-w), "est ^ exp(-1.96 * se / (est * log(est)))")
        note(data, parts[1], paste0("cif", parts[2]), paste0("upper", at), f^exp(w), "est ^ exp(1.96 * se / (est * log(est)))")
      }
    }
  }
  for (k in rownames(o$Tests)) {
    note(data, "all", paste0("gray", k), "chi2", o$Tests[k, "stat"], "cmprsk::cuminc(time, code, arm)$Tests")
    note(data, "all", paste0("gray", k), "p", o$Tests[k, "pv"], "cmprsk::cuminc(time, code, arm)$Tests")
  }
}

d <- read("aml"); stopifnot(all(d$time == aml$time), all(d$event == aml$status), all(d$arm == aml$x))
curve("aml", d, c(12, 24, 36, 48)); contrast("aml", d, "Maintained")
d <- read("drug6mp"); data(drug6mp)
stopifnot(all(d$time == c(drug6mp$t1, drug6mp$t2)), all(d$event == c(rep(1, 21), drug6mp$relapse)))
curve("drug6mp", d, c(5, 10, 15, 20)); contrast("drug6mp", d, "placebo")
d <- read("km_bmt"); data(bmt)
stopifnot(all(d$time == bmt$t2), all(d$arm == bmt$group), all(d$code == ifelse(bmt$d2 == 1, 1, ifelse(bmt$d3 == 1, 2, 0))))
incidence("km_bmt", d, c(182.5, 365, 730, 1095))
d$event <- as.integer(d$code > 0)
curve("km_bmt", d, c(182.5, 365, 730, 1095)); contrast("km_bmt", d[d$arm != 3, ], "1")
d <- read("sksurv_bmt"); incidence("sksurv_bmt", d, c(6, 12, 24, 36))
d$event <- as.integer(d$code == 1)
curve("sksurv_bmt", d, c(6, 12, 24, 36)); contrast("sksurv_bmt", d, "ALL")
d <- read("bioc_all"); curve("bioc_all", d, c(182, 365, 730)); contrast("bioc_all", d, "other")
d <- read("exemplar"); d$event <- as.integer(d$code == 1)
curve("exemplar", d, c(365, 731, 1096, 1826)); contrast("exemplar", d, "IM"); incidence("exemplar", d, c(365, 731, 1826))
d$time <- d$os_time; d$event <- d$os_event
curve("exemplar_os", d, c(365, 731, 1826)); contrast("exemplar_os", d, "IM"); curve("exemplar_os", d, c(731, 1826), TRUE)
d$other <- as.integer(d$arm != "IM")
ratio("exemplar_os", "IM", "cox_truncated",
      coxph(Surv(entry, time, event) ~ other, d, ties = "efron", control = tight), "coxph(Surv(entry, time, event) ~ arm)")
for (k in list(c(3, 19), c(4, 19), c(12, 19), c(2, 12), c(9, 18), c(0, 12), c(12, 12))) {
  b <- binom.test(k[1], k[2])$conf.int
  for (i in 1:2) note("abstract", paste(k, collapse = " of "), "proportion", c("lower", "upper")[i], b[i],
                      paste0("binom.test(", k[1], ", ", k[2], ")"))
}

# Small samples: restricted means, weighted tests, likelihood, penalty, residuals, permutation, bootstrap.
chance <- function(chi2) pchisq(chi2, 1, lower.tail = FALSE)
put <- function(data, group, analysis, values, call)
  for (k in names(values)) note(data, group, analysis, k, values[[k]], call)
simulated <- function(data, group, analysis, statistic, value, se, call) {  # a number with a Monte Carlo error
  note(data, group, analysis, statistic, value, call)
  facts[[length(facts)]]$se <<- se
}
response <- function(d, truncated) if (truncated) with(d, Surv(entry, time, event)) else with(d, Surv(time, event))
fixed <- function(d, b, ties, truncated)  # the likelihood at one coefficient
  suppressWarnings(coxph(response(d, truncated) ~ d$other, ties = ties, init = b,
                         control = coxph.control(iter.max = 0)))
drop <- qchisq(0.95, 1) / 2

restricted <- function(data, d, reference, taus) for (tau in taus) {
  call <- paste0("summary(survfit(Surv(time, event) ~ 1), rmean = ", tau, ")$table")
  two <- sapply(c(reference, setdiff(unique(d$arm), reference)), function(g) {
    found <- summary(survfit(Surv(time, event) ~ 1, d[d$arm == g, ]), rmean = tau)$table[c("rmean", "se(rmean)")]
    note(data, g, "rmst", paste0("mean@", tau), found[[1]], call)
    note(data, g, "rmst", paste0("se@", tau), found[[2]], call)
    unname(found)
  })
  gap <- two[1, 2] - two[1, 1]; se <- sqrt(sum(two[2, 1:2]^2))
  put(data, reference, "rmst_difference", setNames(
    c(gap, gap - qnorm(0.975) * se, gap + qnorm(0.975) * se, 2 * pnorm(-abs(gap / se))),
    paste0(c("difference", "lower", "upper", "p"), "@", tau)), paste(call, "of each arm; normal, variances added"))
}

# Weighted log-rank from its definition: sum over event times of weight * (events - expected) of the other arm, with the
# hypergeometric variance; the weight is the number at risk (Gehan) or S(t-)^rho (1 - S(t-))^gamma of the pooled curve.
weighted <- function(d, weight, truncated = FALSE) {
  if (!truncated) d$entry <- -Inf
  d <- d[d$entry < d$time, ]
  survival <- 1; score <- 0; variance <- 0
  for (t in sort(unique(d$time[d$event == 1]))) {
    here <- d$entry < t & d$time >= t; fails <- d$time == t & d$event == 1
    n <- sum(here); n1 <- sum(here & d$other == 1); k <- sum(fails); k1 <- sum(fails & d$other == 1)
    w <- if (identical(weight, "Gehan")) n else survival^weight[1] * (1 - survival)^weight[2]
    score <- score + w * (k1 - k * n1 / n)
    if (n > 1) variance <- variance + w^2 * k * (n1 / n) * (1 - n1 / n) * (n - k) / (n - 1)
    survival <- survival * (1 - k / n)
  }
  list(score = score, variance = variance, chi2 = score^2 / variance, p = chance(score^2 / variance))
}
WEIGHTS <- list(gehan = "Gehan", fh10 = c(1, 0), fh01 = c(0, 1), fh11 = c(1, 1))
tests <- function(data, d, reference, truncated = FALSE) {
  end <- if (truncated) "_truncated" else ""; plain <- weighted(d, c(0, 0), truncated)
  if (truncated) {  # the score test of the exact partial likelihood is the log-rank test
    exact <- coxph(response(d, TRUE) ~ d$other, ties = "exact")$score
    stopifnot(abs(plain$chi2 / exact - 1) < 1e-9)
    put(data, reference, "logrank_truncated", plain, "coxph(Surv(entry, time, event) ~ arm, ties = 'exact')$score")
  } else {
    s <- survdiff(Surv(time, event) ~ other, d); peto <- survdiff(Surv(time, event) ~ other, d, rho = 1)
    stopifnot(abs(plain$chi2 / s$chisq - 1) < 1e-9, abs(weighted(d, c(1, 0))$chi2 / peto$chisq - 1) < 1e-9)
    score <- s$obs[2] - s$exp[2]; call <- "survdiff(Surv(time, event) ~ arm)"
    note(data, reference, "logrank", "score", score, call)
    note(data, reference, "logrank", "variance", s$var[2, 2], call)
    note(data, reference, "logrank", "p_one_sided", pnorm(score / sqrt(s$var[2, 2])), call)
  }
  for (w in names(WEIGHTS))
    put(data, reference, paste0(w, end), weighted(d, WEIGHTS[[w]], truncated), if (w == "fh10" && !truncated)
      "survdiff(Surv(time, event) ~ arm, rho = 1)" else "weighted log-rank from its definition")
}

NOTHING <- list(HR = NA, lower = NA, upper = NA, p = NA)
separated <- function(d) any(tapply(d$event, d$other, sum) == 0)
profile <- function(data, d, reference, truncated = FALSE) {
  end <- if (truncated) "_truncated" else ""; at <- function(b) fixed(d, b, "efron", truncated)$loglik[2]
  call <- "uniroot on coxph(init = b, iter.max = 0)$loglik, ties = 'efron'"
  if (separated(d)) return(put(data, reference, "cox_profile", NOTHING, "coxph: the likelihood has no top"))
  m <- coxph(response(d, truncated) ~ d$other, ties = "efron", control = tight); b <- coef(m)[[1]]; best <- m$loglik[2]
  limit <- function(to) exp(uniroot(function(x) at(x) - best + drop, sort(c(b, to)), tol = 1e-13)$root)
  put(data, reference, paste0("cox_profile", end), list(HR = exp(b), lower = limit(b - 10), upper = limit(b + 10),
      p = chance(2 * (best - m$loglik[1]))), call)
}
# Firth: log partial likelihood + log(information) / 2, its top where a seven-point derivative is zero.
penalised <- function(data, d, reference, ties, truncated = FALSE) {
  at <- function(b) { m <- fixed(d, b, ties, truncated); m$loglik[2] - log(m$var[1, 1]) / 2 }
  slope <- function(b, h = 0.02) sum(c(-1, 9, -45, 45, -9, 1) * sapply(b + c(-3, -2, -1, 1, 2, 3) * h, at)) / (60 * h)
  rough <- optimize(at, c(-8, 8), maximum = TRUE)$maximum
  b <- uniroot(slope, rough + c(-0.1, 0.1), extendInt = "downX", tol = 1e-12)$root; best <- at(b)
  limit <- function(to) exp(uniroot(function(x) at(x) - best + drop, sort(c(b, to)), tol = 1e-13)$root)
  put(data, reference, paste0(if (ties == "efron") "firth" else "firth_breslow", if (truncated) "_truncated"),
      list(HR = exp(b), lower = limit(b - 10), upper = limit(b + 10), p = chance(2 * (best - at(0)))),
      paste0("top of loglik + log|information| / 2 from coxph(init = b, iter.max = 0, ties = '", ties, "')"))
}
residual <- function(data, d, reference) {
  m <- coxph(Surv(time, event) ~ other, d, ties = "efron", control = tight)
  raw <- residuals(m, "schoenfeld"); place <- order(as.numeric(names(raw)), raw)
  for (k in c("schoenfeld", "scaledsch")) {
    found <- as.numeric(residuals(m, k))[place]; name <- c(schoenfeld = "residual", scaledsch = "scaled")[[k]]
    for (i in seq_along(place))
      note(data, reference, "schoenfeld", paste0(name, "@", i), found[i],
           paste0("residuals(coxph(Surv(time, event) ~ arm), '", k, "'), by time, then by value"))
  }
}
causes <- function(data, d, reference) for (k in 1:2) for (ties in c("efron", "breslow")) {
  d$event <- as.integer(d$code == k); call <- paste0("coxph(Surv(time, code == ", k, ") ~ arm, ties = '", ties, "')")
  what <- paste0(if (ties == "efron") "cox" else "breslow", "_cause", k)
  if (separated(d)) put(data, reference, what, NOTHING, call)
  else ratio(data, reference, what, coxph(Surv(time, event) ~ other, d, ties = ties, control = tight), call)
}
subdistribution <- function(data, d, reference) for (k in 1:2) {
  call <- paste0("cmprsk::crr(time, code, arm, failcode = ", k, ")"); d$event <- as.integer(d$code == k)
  if (separated(d)) {
    put(data, reference, paste0("fine_gray", k), NOTHING, call); next
  }
  m <- crr(d$time, d$code, cbind(d$other), failcode = k, gtol = 1e-12, maxiter = 50)
  b <- m$coef[[1]]; se <- sqrt(m$var[1, 1]); w <- qnorm(0.975) * se
  put(data, reference, paste0("fine_gray", k), list(HR = exp(b), lower = exp(b - w), upper = exp(b + w),
      p = 2 * pnorm(-abs(b / se))), call)
}
milestone <- function(data, d, reference, times) for (at in times) {
  two <- lapply(c(reference, setdiff(unique(d$arm), reference)), function(g)
    summary(survfit(Surv(time, event) ~ 1, d[d$arm == g, ], conf.type = "log-log"), times = at))
  s <- sapply(two, `[[`, "surv"); low <- sapply(two, `[[`, "lower"); high <- sapply(two, `[[`, "upper")
  if (any(s %in% 0:1)) low <- high <- NA  # the log-log transform has no variance there
  spread <- (sapply(two, `[[`, "std.err") / (s * log(s)))^2; gap <- s[2] - s[1]
  p <- chance((log(-log(s[1])) - log(-log(s[2])))^2 / sum(spread))
  put(data, reference, "milestone", setNames(
    c(gap, gap - sqrt((s[2] - low[2])^2 + (high[1] - s[1])^2), gap + sqrt((high[2] - s[2])^2 + (s[1] - low[1])^2), p),
    paste0(c("difference", "lower", "upper", "p"), "@", at)),
    paste0("summary(survfit(Surv(time, event) ~ 1, conf.type = 'log-log'), times = ", at, ") of each arm; squared ",
           "limits' distances added (hybrid); Klein 2007's complementary log-log test"))
}
agreement <- function(data, d) {
  d$marker <- (7 * seq_len(nrow(d))) %% 11
  for (k in c("marker", "other")) note(data, "all", "concordance", k, concordance(
    as.formula(paste("Surv(time, event) ~", k)), d, reverse = TRUE)$concordance,
    paste0("concordance(Surv(time, event) ~ ", k, ", reverse = TRUE)$concordance; marker = (7 * row) %% 11"))
}
# Allocations whose scores add up to at least as much as the observed ones, counted by halves. coin takes sums within
# about 1e-8 of the observed one as equal to it; here the room is 1e-11, enough for the error of adding floats.
counted <- function(scores, m) {
  sums <- function(s) {
    total <- 0; size <- 0
    for (x in s) { total <- c(total, total + x); size <- c(size, size + 1) }
    lapply(split(total, factor(size, 0:length(s))), sort)
  }
  scores <- scores - mean(scores); seen <- abs(sum(scores[m])); n <- length(scores); half <- seq_len(n %/% 2)
  one <- sums(scores[half]); two <- sums(scores[-half]); hits <- 0
  for (k in 0:length(half)) if (sum(m) >= k && sum(m) - k <= n - length(half)) {
    partners <- two[[sum(m) - k + 1]]; mine <- one[[k + 1]]
    hits <- hits + sum(findInterval(1e-11 - seen - mine, partners)) +
      sum(length(partners) - findInterval(seen - 1e-11 - mine, partners))
  }
  hits / choose(n, sum(m))
}
exact <- function(data, d, reference) {
  d$arm <- factor(d$arm != reference)
  for (k in c("mid-ranks", "Hothorn-Lausen")) {
    test <- logrank_test(Surv(time, event) ~ arm, d, distribution = "exact", ties.method = k)
    if (k == "mid-ranks") {  # these scores, summed over an arm, are observed minus expected
      s <- survdiff(Surv(time, event) ~ arm, d)
      stopifnot(abs(statistic(test, "linear") - (s$obs - s$exp)[2]) < 1e-9)
    }
    note(data, reference, "permutation", paste0("p_", k), as.numeric(pvalue(test)), paste0(
      "coin::logrank_test(Surv(time, event) ~ arm, distribution = 'exact', ties.method = '", k, "')"))
    note(data, reference, "permutation", paste0("counted_", k), counted(with(d, logrank_trafo(Surv(time, event), k)),
      d$arm == TRUE), paste0("allocations counted by halves, scores of coin::logrank_trafo(ties.method = '", k, "')"))
  }
}
# Permutations of the arms, many at a time: rows are event times, columns draws.
shuffled <- function(data, d, reference, draws = 400000, chunk = 20000) {
  times <- sort(unique(d$time[d$event == 1]))
  here <- outer(times, d$time, "<=") + 0; fails <- outer(times, d$time, "==") %*% diag(d$event)
  n <- rowSums(here); k <- rowSums(fails); part <- k * (n - k) / pmax(n - 1, 1); tests <- function(arms) {
    share <- here %*% arms / n; score <- colSums(fails %*% arms - k * share)
    variance <- colSums(part * share * (1 - share))
    list(linear = abs(score), studentised = ifelse(variance > 0, score^2 / variance, 0))
  }
  seen <- tests(cbind(d$other)); hits <- c(linear = 0, studentised = 0)
  stopifnot(abs(seen$studentised / survdiff(Surv(time, event) ~ other, d)$chisq - 1) < 1e-9)
  set.seed(20120101)
  for (i in seq_len(draws / chunk)) {
    sorted <- order(rep(seq_len(chunk), each = nrow(d)), runif(nrow(d) * chunk))  # every column shuffled
    drawn <- tests(matrix(d$other[(sorted - 1) %% nrow(d) + 1], nrow(d)))
    for (what in names(hits)) hits[what] <- hits[what] + sum(drawn[[what]] >= seen[[what]] * (1 - 1e-9))
  }
  for (what in names(hits)) {
    p <- hits[[what]] / draws
    simulated(data, reference, "permutation_drawn", paste0(what, "_p"), p, sqrt(max(p, 1 / draws) * (1 - p) / draws),
              paste(format(draws, scientific = FALSE), "permutations of the arms; two-sided", c(linear = "|O - E|",
              studentised = "survdiff(Surv(time, event) ~ arm)$chisq")[[what]]))
  }
}
# BCa limits (Efron, JASA 1987;82:171) of the restricted mean, resampled within arms; means over blocks of draws.
bootstrap <- function(data, d, reference, tau, blocks = 40, size = 5000) {
  area <- function(s, counts) {  # restricted means of one arm under a matrix of resampling counts
    s <- s[order(s$time), ]; counts <- counts[s$row, , drop = FALSE]; times <- sort(unique(s$time))
    n <- outer(times, s$time, "<=") %*% counts; k <- outer(times, s$time, "==") %*% (counts * s$event)
    survival <- rbind(1, apply(1 - k / pmax(n, 1), 2, cumprod))
    colSums(pmax(diff(pmin(c(0, times, tau), tau)), 0) * survival)
  }
  limits <- function(value, drawn, left, n) {
    z0 <- qnorm(mean(drawn < value)); u <- unlist(Map(function(l, m) (m - 1) / m * (mean(l) - l), left, n))
    a <- sum(u^3) / (6 * sum(u^2)^1.5); z <- z0 + qnorm(c(0.025, 0.975))
    quantile(drawn, pnorm(z0 + z / (1 - a * z)), names = FALSE)
  }
  set.seed(20120102)
  arms <- lapply(c(reference, setdiff(unique(d$arm), reference)), function(g)
    transform(d[d$arm == g, c("time", "event")], row = seq_len(sum(d$arm == g))))
  n <- sapply(arms, nrow)
  value <- sapply(arms, function(s) area(s, matrix(1, nrow(s), 1)))
  left <- lapply(arms, function(s) area(s, 1 - diag(nrow(s))))
  found <- replicate(blocks, {
    drawn <- lapply(arms, function(s) area(s, rmultinom(size, nrow(s), rep(1, nrow(s)))))
    c(limits(value[1], drawn[[1]], left[1], n[1]), limits(value[2], drawn[[2]], left[2], n[2]),
      limits(value[2] - value[1], drawn[[2]] - drawn[[1]], list(-left[[1]], left[[2]]), n))
  })
  call <- paste0("BCa from its definition, ", blocks, " blocks of ", size,
                 " resamples within arms; restricted mean to ", tau)
  groups <- c(rep(c(reference, setdiff(unique(d$arm), reference)), each = 2), reference, reference)
  for (i in 1:6)
    simulated(data, groups[i], if (i < 5) "bootstrap_rmst" else "bootstrap_rmst_difference",
              paste0(c("lower", "upper")[2 - i %% 2], "@", tau), mean(found[i, ]), sd(found[i, ]) / sqrt(blocks), call)
}

sets <- list(
  aml = list(reference = "Maintained", taus = c(23, 45), times = c(12, 24)),
  drug6mp = list(reference = "placebo", taus = c(10, 20), times = c(5, 10)),
  km_bmt = list(reference = "1", taus = c(365, 1095), times = c(182.5, 365)),
  sksurv_bmt = list(reference = "ALL", taus = c(12, 24), times = c(6, 12)),
  bioc_all = list(reference = "other", taus = c(365, 1000), times = c(182, 365)),
  exemplar = list(reference = "IM", taus = c(365, 1826), times = c(365, 1826)),
  exemplar_os = list(reference = "IM", taus = c(1096, 1826), times = c(1096, 1826)),
  monotone = list(reference = "0", taus = c(15, 20), times = 8))
for (name in names(sets)) {
  d <- read(sub("_os$", "", name)); set <- sets[[name]]
  if (name == "km_bmt") d <- d[d$arm != 3, ]
  if (name == "exemplar_os") { d$time <- d$os_time; d$event <- d$os_event }
  else if (is.null(d$event)) d$event <- as.integer(if (name == "km_bmt") d$code > 0 else d$code == 1)
  d$other <- as.integer(d$arm != set$reference)
  if (name == "monotone") {
    curve(name, d, c(5, 8)); s <- survdiff(Surv(time, event) ~ other, d)
    put(name, set$reference, "logrank", list(chi2 = s$chisq, p = chance(s$chisq)), "survdiff(Surv(time, event) ~ arm)")
    put(name, set$reference, "cox", NOTHING, "coxph: the likelihood has no top")
  } else residual(name, d, set$reference)
  restricted(name, d, set$reference, set$taus)
  tests(name, d, set$reference)
  profile(name, d, set$reference)
  penalised(name, d, set$reference, "efron"); penalised(name, d, set$reference, "breslow")
  milestone(name, d, set$reference, set$times)
  agreement(name, d)
  if (nrow(d) <= 42) exact(name, d, set$reference)  # coin's exact method asks for more memory than there is above that
  shuffled(name, d, set$reference)
  if (name %in% c("aml", "exemplar")) bootstrap(name, d, set$reference, set$taus[2])
  if (name == "exemplar_os") {
    tests(name, d, set$reference, TRUE); profile(name, d, set$reference, TRUE)
    penalised(name, d, set$reference, "efron", TRUE)
  } else if (!is.null(d$code)) { causes(name, d, set$reference); subdistribution(name, d, set$reference) }
}
write_json(facts, "r_reference.json", auto_unbox = TRUE, digits = 14, pretty = FALSE, na = "null")
text <- readLines("r_reference.json"); writeLines(gsub("},{", "},\n{", text, fixed = TRUE), "r_reference.json")
cat(length(facts), "numbers\n")
